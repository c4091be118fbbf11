import { randomUUID } from 'node:crypto'
import { type RedisServer, startFaultProxy, startRedisServer } from '@idem/testing'
import { Redis } from 'ioredis'

/** The Redis that the workers share. */
export interface SharedRedis {
  /** For people: without its password. */
  readonly shown: string
  /** For the workers. */
  readonly url: string
  /** Before every key of this run. */
  readonly prefix: string
  /** A connection of this process that no outage of ours cuts. */
  readonly client: Redis
  readonly isUp: boolean
  /** The server is gone for the workers. */
  interrupt(): Promise<void>
  /** It is back. */
  resume(): Promise<void>
  /** Leaves nothing of this run behind. Call it when the workers have ended. */
  stop(): Promise<void>
}

const newPrefix = () => `idem:demo:${randomUUID()}:`

/** A server of our own, which is really stopped and started again; what it knows is then lost. */
export async function ownRedis(): Promise<SharedRedis> {
  let server: RedisServer | undefined = await startRedisServer()
  const { port } = server
  const url = `redis://127.0.0.1:${port}`
  const client = patientClient(url)
  return {
    shown: `a redis-server of its own on 127.0.0.1:${port}`,
    url,
    prefix: newPrefix(),
    client,
    get isUp() {
      return server !== undefined
    },
    async interrupt() {
      const stopping = server
      server = undefined
      await stopping?.stop()
    },
    async resume() {
      server ??= await startRedisServer({ port })
    },
    async stop() {
      client.disconnect()
      await server?.stop()
    },
  }
}

/** A server that is somebody else's: it is never stopped, the way to it is cut. */
export async function givenRedis(url: string): Promise<SharedRedis> {
  const proxy = await startFaultProxy(url)
  const prefix = newPrefix()
  const client = patientClient(url)
  let isUp = true
  return {
    shown: `Redis at ${redacted(url)}`,
    url: proxy.url,
    prefix,
    client,
    get isUp() {
      return isUp
    },
    async interrupt() {
      isUp = false
      proxy.cut()
    },
    async resume() {
      isUp = true
      proxy.pass()
    },
    async stop() {
      // First the way for what is still to come, then what has come.
      await proxy.stop()
      if (client.status === 'ready') await removeKeys(client, prefix)
      else process.stderr.write(`${redacted(url)} is gone: keys under ${prefix} leave it by their ttl.\n`)
      client.disconnect()
    },
  }
}

/** @throws an Error with a sentence that says what to do, unless there is a Redis at this URL */
export async function assertReachable(url: string): Promise<void> {
  if (!/^redis:\/\/./.test(url) || !URL.canParse(url))
    // What is no URL may have a password anywhere, so it is not repeated.
    throw new Error('REDIS_URL must be like redis://127.0.0.1:6379')
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
  let reason = ''
  client.on('error', (error) => {
    reason = error.message
  })
  try {
    await client.connect()
  } catch {
    throw new Error(`There is no Redis at ${redacted(url)}: ${reason}. Start one, or unset REDIS_URL.`)
  } finally {
    client.disconnect()
  }
}

function patientClient(url: string): Redis {
  const client = new Redis(url, { retryStrategy: () => 100 })
  client.on('error', () => {})
  return client
}

/** Takes out of the Redis what this run has put into it: records would go by themselves, statistics after weeks. */
async function removeKeys(client: Redis, prefix: string): Promise<void> {
  for await (const keys of client.scanStream({ match: `${prefix}*`, count: 1_000 })) {
    if (keys.length > 0) await client.unlink(keys)
  }
}

/** A URL as it may be shown: without its password. */
function redacted(url: string): string {
  const shown = new URL(url)
  if (shown.password) shown.password = '…'
  return shown.href
}
