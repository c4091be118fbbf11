import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { createIdem } from '@idem/core'
import type { Store } from '@idem/core/store'
import { startRedis, type TestRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'

/** Everything the protocol needs of a client, whatever options it was made with. */
export async function doesAll(store: Store): Promise<void> {
  const idem = createIdem({ store })
  await idem.ready()
  expect(await idem.run('key', () => ({ a: 1 }))).toEqual({ a: 1 })
  expect(await idem.runWithOutcome('key', () => 2)).toEqual({ value: { a: 1 }, outcome: 'replayed' })
  expect(await idem.forget('key')).toBe(true)
  expect(await idem.forget('key')).toBe(false)
  expect((await idem.fleetStats()).requests).toBe(2)
  expect(idem.stats().failedOpen).toBe(0)
  await idem.close()
}

/** What is said of a store that cannot be reached: in the warning, by a call that needs it, and by `ready()`. */
export async function saidOf(store: Store) {
  const warned: string[] = []
  const idem = createIdem({
    store,
    tuning: { storeBudgetMs: 30_000 },
    logger: { warn: (message) => void warned.push(message) },
  })
  expect(await idem.run('key', () => 'made')).toBe('made')
  const error = await idem.run('other', () => 1, { ifStoreFails: 'reject' }).catch((error) => error)
  const unready = await idem.ready().catch((error) => error)
  for (const one of [error, unready]) expect(one).toMatchObject({ code: 'IDEM_STORE_UNAVAILABLE' })
  expect(warned).toHaveLength(1)
  return {
    said: [warned[0], error.message, unready.message] as string[],
    cause: error.cause.cause as Error,
    all: inspect([warned, error, unready], { depth: 20 }),
  }
}

export function everyOneSays(said: readonly string[], what: RegExp): void {
  for (const one of said) expect(one).toMatch(what)
}

/** A server that wants a password. */
export async function withPassword(): Promise<TestRedis> {
  const server = await startRedis({ args: ['--databases', '1'] })
  const admin = new Redis(server.url)
  await admin.config('SET', 'requirepass', 'the right one')
  admin.disconnect()
  return server
}

/** A store on a client that was told to connect, whether that works or not. */
export type Open = (url: string, password?: string) => Store

/** What every adapter of a single Redis says of a client that cannot connect: the client's own reason. */
export function cannotConnect(open: Open): void {
  describe('a client that cannot connect', () => {
    test('since its password is wrong says so, and never says the password', async () => {
      const guarded = await withPassword()
      const { said, cause, all } = await saidOf(open(guarded.url, 'hunter2-wrong'))
      everyOneSays([...said, cause.message], /WRONGPASS/)
      expect(all).not.toContain('hunter2-wrong')
      await guarded.stop()
    })

    test('since its host is not known says so', async () => {
      const { said, cause } = await saidOf(open('redis://no-such-host.invalid:6379'))
      everyOneSays(said, /ENOTFOUND|EAI_AGAIN|getaddrinfo/)
      expect(cause.message).toContain('no-such-host.invalid')
    })

    test.each(['redis://localhost:1', 'redis://127.0.0.1:1'])(
      'since nobody listens says so, also where Node tries several addresses: %s',
      async (url) => {
        everyOneSays((await saidOf(open(url))).said, /ECONNREFUSED/)
      },
    )

    test('since it does not speak TLS to a server that does says so', async () => {
      // A TLS server answers what it does not take for TLS with an alert, and closes.
      const alert = Buffer.from('15030100020246', 'hex')
      const server = createServer((socket) =>
        socket.on('error', () => {}).once('data', () => socket.end(alert)),
      )
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as { port: number }
      const { said } = await saidOf(open(`redis://127.0.0.1:${port}`))
      everyOneSays(said, /Protocol error|ECONNRESET|closed|Unknown RESP type/i)
      server.close()
    })
  })
}
