import { fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { leash } from '../redis/leash.js'
import { fromWireError, type WorkerMessage } from './worker-protocol.js'

/** How a process ended: one of the two is null. */
export interface WorkerExit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A Node process that serves calls. */
export interface Worker {
  pid: number
  /**
   * Runs a handler of the worker. Rejects with an Error of the same `name`, `message`, `code` and `stack`
   * when the handler throws, and with code `WORKER_EXITED` when the process ends before it answers.
   */
  call<T = unknown>(method: string, ...args: unknown[]): Promise<T>
  /** Listens to an event the worker emits; returns a function that stops listening. */
  on<T = unknown>(event: string, listener: (payload: T) => void): () => void
  /** Resolves with the payload of the next such event; rejects with code `WORKER_EXITED` when the process ends. */
  once<T = unknown>(event: string): Promise<T>
  /** Sends a signal. A stopped (SIGSTOP) process keeps its connections and answers after SIGCONT. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void
  /** Resolves when the process has ended, never rejects. */
  exited: Promise<WorkerExit>
  /** Kills the process, stopped or not, and waits for its end. */
  stop(): Promise<WorkerExit>
}

/** Options of {@link spawnWorker}. */
export interface SpawnWorkerOptions {
  /** `process.argv` of the worker from index 2. @default none */
  args?: string[]
  /** Set on top of this process's environment. @default none */
  env?: Record<string, string | undefined>
  /** Arguments of node itself. @default none, rather than those of the test runner */
  execArgv?: string[]
}

/**
 * Starts `file` in a new Node process and resolves when it called `serveWorker`; rejects when it ends
 * before. Values travel by structured clone. The process never outlives this one, however this one ends.
 */
export async function spawnWorker(file: string | URL, options: SpawnWorkerOptions = {}): Promise<Worker> {
  const child = fork(file, options.args ?? [], {
    serialization: 'advanced',
    env: { ...process.env, ...options.env },
    execArgv: options.execArgv ?? [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const pending = new Map<number, Pending>()
  const events = new EventEmitter().setMaxListeners(0)
  const waiting = new Set<Pending>()
  let calls = 0
  let exit: WorkerExit | undefined

  const exited = new Promise<WorkerExit>((resolve) => {
    child.once('exit', async (code, signal) => {
      exit = { code, signal }
      // What it said last may still be on its way.
      if (child.connected) await once(child, 'disconnect')
      const error = exitError(exit)
      for (const asked of [...pending.values(), ...waiting]) asked.abandon(error)
      pending.clear()
      waiting.clear()
      resolve(exit)
    })
  })

  child.on('message', (message: WorkerMessage) => {
    if (message.idem === 'event') events.emit(`event:${message.event}`, message.payload)
    if (message.idem === 'ready') events.emit('ready')
    if (message.idem !== 'value' && message.idem !== 'error') return
    const asked = pending.get(message.id)
    pending.delete(message.id)
    if (message.idem === 'value') asked?.resolve(message.value)
    else asked?.reject(fromWireError(message.error))
  })

  await new Promise<void>((resolve, reject) => {
    events.once('ready', resolve)
    child.once('error', reject)
    void exited.then((how) => reject(exitError(how)))
  })
  const pid = child.pid!
  // A worker stopped by a signal does not see that its parent is gone; the leash does.
  const tie = leash(pid)
  void exited.then(() => tie.release())

  return {
    pid,
    exited,
    call<T>(method: string, ...args: unknown[]) {
      if (exit) return Promise.reject(exitError(exit))
      const id = ++calls
      const { promise, asked } = ask<T>()
      pending.set(id, asked)
      const failed = (error: Error | null) => {
        // A closed channel means the process is going; its exit tells the rest.
        if (error && child.connected && pending.delete(id)) asked.reject(error)
      }
      try {
        child.send({ idem: 'call', id, method, args }, failed)
      } catch (error) {
        // What cannot be cloned is thrown at once.
        failed(error as Error)
      }
      return promise
    },
    on<T>(event: string, listener: (payload: T) => void) {
      events.on(`event:${event}`, listener)
      return () => void events.off(`event:${event}`, listener)
    },
    once<T>(event: string) {
      if (exit) return Promise.reject(exitError(exit))
      const { promise, asked } = ask<T>()
      waiting.add(asked)
      events.once(`event:${event}`, (payload) => {
        waiting.delete(asked)
        asked.resolve(payload)
      })
      return promise
    },
    signal: (signal) => void child.kill(signal),
    stop() {
      child.kill('SIGKILL')
      return exited
    },
  }
}

interface Pending {
  resolve(value: unknown): void
  reject(reason: Error): void
  /** Rejects without an unhandled rejection: tests kill workers on purpose and look at the call later. */
  abandon(reason: Error): void
}

function ask<T>(): { promise: Promise<T>; asked: Pending } {
  let settle!: Pick<Pending, 'resolve' | 'reject'>
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve: resolve as (value: unknown) => void, reject }
  })
  const abandon = (reason: Error) => {
    promise.catch(() => {})
    settle.reject(reason)
  }
  return { promise, asked: { ...settle, abandon } }
}

function exitError({ code, signal }: WorkerExit): Error {
  const how = signal ? `was killed by ${signal}` : `exited with code ${code}`
  return Object.assign(new Error(`The worker ${how}`), { code: 'WORKER_EXITED' })
}
