import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { type SpawnWorkerOptions, serveWorker, spawnWorker, type Worker } from '../src/index.js'

const workers: Worker[] = []
afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.stop())))

async function start(options?: SpawnWorkerOptions): Promise<Worker> {
  const worker = await spawnWorker(new URL('fixtures/worker.mjs', import.meta.url), options)
  workers.push(worker)
  return worker
}

test('a call runs in another process and values survive the way there and back', async () => {
  const worker = await start()
  const value = {
    when: new Date(0),
    bytes: new Uint8Array([1, 2]),
    big: 7n,
    map: new Map([['a', undefined]]),
  }
  expect(await worker.call('echo', value)).toEqual(value)
  expect(worker.pid).not.toBe(process.pid)
})

test('many calls at once each get their own answer', async () => {
  const worker = await start()
  const numbers = Array.from({ length: 100 }, (_, index) => index)
  expect(await Promise.all(numbers.map((number) => worker.call('echo', number)))).toEqual(numbers)
})

test('arguments and environment reach the worker, options of the test runner do not', async () => {
  const worker = await start({ args: ['one', 'two'], env: { IDEM_TEST_MARK: 'set' } })
  expect(await worker.call('environment')).toEqual({ args: ['one', 'two'], env: 'set', execArgv: [] })
  const other = await start({ execArgv: ['--no-warnings'] })
  expect(await other.call('environment')).toMatchObject({ execArgv: ['--no-warnings'] })
})

test('a handler that throws rejects the call with the same name, message and code', async () => {
  const worker = await start()
  const error = await worker.call('fail').catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ name: 'TypeError', message: 'no such thing', code: 'E_NO_SUCH_THING' })
  expect((error as Error).stack).toContain('worker.mjs')
})

test('a call of an unknown method, or with a value that cannot be sent, rejects', async () => {
  const worker = await start()
  await expect(worker.call('toString')).rejects.toThrow('no handler named "toString"')
  await expect(worker.call('uncloneable')).rejects.toThrow('could not be cloned')
  await expect(worker.call('echo', () => {})).rejects.toThrow('could not be cloned')
  expect(await worker.call('echo', 'still there')).toBe('still there')
})

test('events reach their listeners until these stop listening', async () => {
  const worker = await start()
  const heard: unknown[] = []
  const off = worker.on('progress', (payload) => heard.push(payload))
  const first = worker.once('progress')
  await worker.call('emit', 'progress', { step: 1 })
  await worker.call('emit', 'other', 'not heard')
  off()
  await worker.call('emit', 'progress', { step: 2 })
  expect(await first).toEqual({ step: 1 })
  expect(heard).toEqual([{ step: 1 }])
})

test('a worker that dies rejects its open calls, waits for events, and later calls', async () => {
  const worker = await start()
  const open = worker.call('hang')
  const event = worker.once('never')
  worker.signal('SIGKILL')
  expect(await worker.exited).toEqual({ code: null, signal: 'SIGKILL' })
  for (const promise of [open, event, worker.call('echo', 1), worker.once('never')]) {
    await expect(promise).rejects.toMatchObject({
      code: 'WORKER_EXITED',
      message: 'The worker was killed by SIGKILL',
    })
  }
})

test('a worker that exits says with which code', async () => {
  const worker = await start()
  await expect(worker.call('exit', 4)).rejects.toThrow('exited with code 4')
  expect(await worker.exited).toEqual({ code: 4, signal: null })
})

test('a stopped process answers nothing until it is continued', async () => {
  const [worker, other] = [await start(), await start()]
  worker.signal('SIGSTOP')
  let answered = false
  const answer = worker.call('echo', 'late').then((value) => {
    answered = true
    return value
  })
  for (let round = 0; round < 20; round++) await other.call('echo', round)
  expect(answered).toBe(false)
  worker.signal('SIGCONT')
  expect(await answer).toBe('late')
})

test('a worker that never gets ready rejects the start', async () => {
  await expect(spawnWorker(new URL('fixtures/crash.mjs', import.meta.url))).rejects.toThrow(
    'exited with code 3',
  )
})

test('a worker does not outlive its parent, even a stopped one whose parent was killed', async () => {
  const parent = await start()
  const pid = await parent.call<number>('spawnStoppedWorker')
  expect(await isAlive(pid)).toBe(true)
  parent.signal('SIGKILL')
  await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false)
})

test('serving is refused in a process that is not a worker', async () => {
  const send = process.send
  process.send = undefined
  try {
    expect(() => serveWorker({})).toThrow('spawnWorker')
  } finally {
    process.send = send
  }
})

/** A dead process that nobody has collected yet still takes signals, so its state is asked for. */
async function isAlive(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }))
  return stdout !== '' && !stdout.startsWith('Z')
}
