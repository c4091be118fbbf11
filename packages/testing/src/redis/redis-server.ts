import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { leash } from './leash.js'

/** A `redis-server` process started by this process. */
export interface RedisServer {
  /** Port on 127.0.0.1. */
  port: number
  pid: number
  /** Kills the process, waits for its end and removes its directory, unless that was given. May be called twice. */
  stop(): Promise<void>
}

const startTimeoutMs = 15_000
const portAttempts = 5

class PortTaken extends Error {}

/** Options of {@link startRedisServer}. */
export interface StartRedisServerOptions {
  /** Further arguments for `redis-server`. @default none */
  readonly args?: readonly string[]
  /** Port on 127.0.0.1. @default a free one */
  readonly port?: number
  /**
   * Where the server stores what its `args` ask for; the next server that starts there finds it. Removed if this
   * process ends without stopping the server. @default one of its own
   */
  readonly directory?: string
}

/**
 * Starts `redis-server` from the PATH, without persistence unless `args` say otherwise.
 * Resolves when this very process answers; rejects with the end of its log when it does not. It ends with this
 * process, however that ends.
 */
export async function startRedisServer(options: StartRedisServerOptions = {}): Promise<RedisServer> {
  const { args = [], port, directory } = options
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOn(port ?? (await freePort()), args, directory)
    } catch (error) {
      // Another process may take the port between finding and binding it.
      if (!(error instanceof PortTaken) || port !== undefined || attempt === portAttempts) throw error
    }
  }
}

async function startOn(port: number, args: readonly string[], given?: string): Promise<RedisServer> {
  const directory = given ?? (await mkdtemp(join(tmpdir(), 'idem-redis-')))
  const tidy = async () => {
    if (given === undefined) await rm(directory, { recursive: true, force: true })
  }
  const logPath = join(directory, 'redis.log')
  const log = await open(logPath, 'w')
  const defaults = ['--save', '', '--appendonly', 'no', '--bind', '127.0.0.1']
  const child = spawn('redis-server', [...defaults, ...args, '--port', String(port), '--dir', directory], {
    stdio: ['ignore', log.fd, log.fd],
    // A process group of its own: it is ended by whoever started it, not by a Ctrl-C in the terminal.
    detached: true,
  })
  // Tied before anything is awaited: this process may end at any moment.
  const tie = child.pid === undefined ? undefined : leash(child.pid, directory)
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  await Promise.race([once(child, 'spawn'), exited])
  await log.close()
  const pid = child.pid
  if (pid === undefined) {
    await tidy()
    throw new Error('redis-server could not be started')
  }
  // A test that forgets stop() must still be able to end; the leash then does the rest.
  child.unref()

  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.ref()
      child.kill('SIGKILL')
    }
    await exited
    await tidy()
    tie?.release()
  }

  try {
    const answeringPid = await processAnswering(port, exited)
    if (answeringPid !== pid) throw new PortTaken(`port ${port} was taken by process ${answeringPid}`)
  } catch (error) {
    const text = await readFile(logPath, 'utf8').catch(() => '')
    await stop()
    if (error instanceof PortTaken) throw error
    if (text.includes('Address already in use')) throw new PortTaken(`port ${port} was taken`)
    throw new Error(`redis-server did not start: ${text.slice(-2000)}`, { cause: error })
  }
  return { port, pid, stop }
}

/** Asks the server on this port for its pid, until one answers. */
async function processAnswering(port: number, exited: Promise<void>): Promise<number> {
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null, retryStrategy: () => 10 })
  client.on('error', () => {})
  let timer: NodeJS.Timeout | undefined
  try {
    const info = await Promise.race([
      client.info('server'),
      exited.then(() => Promise.reject(new Error('redis-server exited'))),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer in ${startTimeoutMs} ms`)), startTimeoutMs)
      }),
    ])
    return Number(/^process_id:(\d+)/m.exec(info)?.[1])
  } finally {
    clearTimeout(timer)
    client.disconnect()
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
