import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RedisServer, startFaultProxy, startRedisServer } from '@idem/testing'
import { Redis } from 'ioredis'
import { ANSWER_MS, shownUrl } from './usable-redis.js'

/** The Redis that the workers share. */
export interface SharedRedis {
  /** For people: without its password. */
  readonly shown: string
  /** For the workers. */
  readonly url: string
  /** Before every key of this run. */
  readonly prefix: string
  /**
   * A connection of this process. It is not cut with the workers' connections, and comes back with a stopped server.
   */
  readonly client: Redis
  readonly isUp: boolean
  /** Makes the server unreachable for the workers. */
  interrupt(): Promise<void>
  /** It is back. */
  resume(): Promise<void>
  /** Removes everything this run has written. Call it when the workers have ended. */
  stop(): Promise<void>
}

const newPrefix = () => `idem:demo:${randomUUID()}:`

/** A server of our own, really stopped and started again, with the data it had by then. */
export async function ownRedis(): Promise<SharedRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'idem-redis-'))
  const args = ['--appendonly', 'yes']
  let server: RedisServer | undefined = await startRedisServer({ args, directory })
  const { port } = server
  const url = `redis://127.0.0.1:${port}`
  const client = patientClient(url)
  return {
    shown: `a redis-server of its own on 127.0.0.1:${port}`,
    url,
    prefix: newPrefix(),
    client,
    get isUp() {
      return server !== undefined && client.status === 'ready'
    },
    async interrupt() {
      const stopping = server
      server = undefined
      await stopping?.stop()
    },
    async resume() {
      server ??= await startRedisServer({ args, directory, port })
    },
    async stop() {
      client.disconnect()
      await server?.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** A server that belongs to somebody else: it is never stopped. Only the workers' connections to it are cut. */
export async function givenRedis(url: string): Promise<SharedRedis> {
  const proxy = await startFaultProxy(url)
  const prefix = newPrefix()
  const client = patientClient(url)
  let isCut = false
  return {
    shown: `Redis at ${shownUrl(url)}`,
    url: proxy.url,
    prefix,
    client,
    get isUp() {
      return !isCut && client.status === 'ready'
    },
    async interrupt() {
      isCut = true
      proxy.cut()
    },
    async resume() {
      isCut = false
      proxy.pass()
    },
    async stop() {
      // First stop what is still coming, then cut what is open.
      await proxy.stop()
      try {
        if (client.status !== 'ready') throw new Error('It is gone.')
        await removeKeys(client, prefix)
      } catch {
        process.stderr.write(
          `${shownUrl(url)} does not answer: keys under ${prefix} leave it by their ttl.\n`,
        )
      }
      client.disconnect()
    },
  }
}

function patientClient(url: string): Redis {
  const client = new Redis(url, { retryStrategy: () => 100, commandTimeout: ANSWER_MS })
  client.on('error', () => {})
  return client
}

/** Removes the keys of this run. Records would expire by themselves soon, statistics only after weeks. */
async function removeKeys(client: Redis, prefix: string): Promise<void> {
  for await (const keys of client.scanStream({ match: `${prefix}*`, count: 1_000 })) {
    if (keys.length > 0) await client.unlink(keys)
  }
}
