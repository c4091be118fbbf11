import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { startRedisContainer } from './containers.js'
import { ensureRedisServer } from './install.js'
import { startRedisServer } from './redis-server.js'

/** A real Redis to test against. */
export interface TestRedis {
  /** `redis://…`, answering when the handle is given out. */
  url: string
  /** True when the server was started for this handle alone, so that it may be paused, filled or killed. */
  owned: boolean
  /** Process id of an owned server that is a process of this machine, not a container. */
  pid?: number
  /** Random and unique for each handle. Put it before every key: tests never flush. */
  prefix: string
  /** Kills an owned server and removes what it left; does nothing to a server that was only borrowed. */
  stop(): Promise<void>
}

/** Options of {@link startRedis}. */
export interface StartRedisOptions {
  /**
   * Arguments for `redis-server`, such as `['--maxmemory', '2mb']`. A server with arguments is always
   * a new one, since a borrowed server cannot be given any: `IDEM_TEST_REDIS_URL` is then not used.
   * @default none
   */
  args?: string[]
}

/**
 * Gives a real Redis that answers, or rejects; it never lets a test pass by skipping.
 *
 * | condition, in this order | outcome |
 * |---|---|
 * | `IDEM_TEST_REDIS=container` | a new container of the image `IDEM_TEST_REDIS_IMAGE`, by default `redis:8-alpine`; without a container engine an Error telling in one sentence what to do, whatever else there is |
 * | `IDEM_TEST_REDIS_URL` is set, no `args` | that server, as it is |
 * | `redis-server` is on the PATH | a new process on a free port of 127.0.0.1, without persistence |
 * | root on Debian or Ubuntu | installs `redis-server`, saying so in one line, then as above |
 * | otherwise | an Error telling in one sentence what to do |
 *
 * An owned server ends with `stop()` or with this process, whichever is first and however it ends.
 */
export async function startRedis(options: StartRedisOptions = {}): Promise<TestRedis> {
  const prefix = `idem-test:${randomBytes(8).toString('hex')}:`
  const way = process.env.IDEM_TEST_REDIS
  if (way === 'container') {
    const { url, stop } = await startRedisContainer(options.args)
    return { url, owned: true, prefix, stop }
  }
  if (way) throw new Error(`IDEM_TEST_REDIS may be "container" or not set, but is "${way}".`)

  const borrowed = process.env.IDEM_TEST_REDIS_URL
  if (borrowed && !options.args) {
    await assertAnswers(borrowed)
    return { url: borrowed, owned: false, prefix, stop: async () => {} }
  }

  await ensureRedisServer('set IDEM_TEST_REDIS_URL to a server that may be used')
  const { port, pid, stop } = await startRedisServer({ args: options.args })
  return { url: `redis://127.0.0.1:${port}`, owned: true, pid, prefix, stop }
}

async function assertAnswers(url: string): Promise<void> {
  const client = new Redis(url, { retryStrategy: () => null, lazyConnect: true, connectTimeout: 10_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.ping()
  } catch (error) {
    throw new Error('The Redis that IDEM_TEST_REDIS_URL names does not answer.', { cause: error })
  } finally {
    client.disconnect()
  }
}
