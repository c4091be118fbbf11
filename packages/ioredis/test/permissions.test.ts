import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { createIdem, type Idem, type IdemOptions } from '@idem/core'
import { startRedis, type TestRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { askToy, ToyCall } from '../../core/test/toy-dialect.js'
import { ioredisStore } from '../src/index.js'

/** Every command that idem sends, by itself or in a script. */
const COMMANDS = [
  'set',
  'get',
  'eval',
  'evalsha',
  'getrange',
  'pexpire',
  'time',
  'exists',
  'strlen',
  'append',
  'spublish',
  'ssubscribe',
  'sunsubscribe',
  'hset',
  'hvals',
] as const

/** The commands without which no answer can be locked and kept. */
const NEEDED = ['set', 'get', 'eval', 'getrange', 'pexpire', 'time']
/** A lease that lapses within a test, and is longer than the stalls of a busy machine. */
const LEASE_MS = 3000
/** So long that a test which waits for a lock to lapse fails by its time limit. */
const LONG_MS = 600_000
/** Longer than a reply takes on a machine that does much else. What is refused is refused at once. */
const BUDGET_MS = 20_000

let redis: TestRedis
let admin: Redis
beforeAll(async () => {
  redis = await startRedis({ args: ['--databases', '1'] })
  admin = new Redis(redis.url)
})
afterAll(async () => {
  admin.disconnect()
  await redis.stop()
})

/** A user of the store that may do everything, until it may not, and processes that act as it. */
async function createUser() {
  const name = randomUUID()
  const clients: Redis[] = []
  const warned: string[] = []
  const keys = `${redis.prefix}${name}:`
  const allow = (...rules: string[]) => admin.call('ACL', 'SETUSER', name, ...rules)
  /** One more process with this user. */
  const join = (options: IdemOptions = {}): Idem => {
    const client = new Redis(redis.url, { username: name, password: 'secret' })
    clients.push(client)
    return createIdem({
      store: ioredisStore(client, { prefix: keys }),
      logger: { warn: (message) => void warned.push(message) },
      ...options,
      tuning: { leaseMs: LONG_MS, pollMaxMs: 50, storeBudgetMs: BUDGET_MS, ...options.tuning },
    })
  }
  const remove = async () => {
    for (const client of clients) client.disconnect()
    await admin.call('ACL', 'DELUSER', name)
  }
  await allow('on', '>secret', '+@all', '~*', '&*')
  return { keys, warned, allow, join, remove }
}

const tells = (command: string) => expect.stringContaining(`+${command}"`)

/** The life of one key: an owner and a waiter in another process, later calls of both, a failure, the next call. */
async function lifeOf([one, other]: [Idem, Idem], options: { ifStoreFails: 'execute' | 'reject' }) {
  const ends: (string | undefined)[] = []
  let effects = 0
  let began = () => {}
  const beginning = new Promise<void>((resolve) => {
    began = resolve
  })
  const call = async (idem: Idem, work: () => Promise<string> | string, key = 'key') => {
    ends.push(await idem.run(key, work, options).catch((error) => error.code ?? error.message))
  }
  const effect = async () => {
    effects++
    began()
    await delay(100)
    return 'done'
  }
  const first = call(one, effect)
  await Promise.race([beginning, first])
  await Promise.all([first, call(other, effect)])
  await call(one, effect)
  await call(other, effect)
  await call(one, () => Promise.reject(new Error('declined')), 'failing')
  await call(other, () => 'done', 'failing')
  return { effects, ends }
}

// Beside each other, since each waits for leases to lapse.
describe.concurrent.each(COMMANDS)('a user that loses %s while an effect runs', (command) => {
  test.for([
    ['that is short', 0],
    ['that outlives its lease', 2 * LEASE_MS],
  ] as const)(
    "has an effect %s once with 'reject': others get its result or a typed error, also afterwards",
    async ([, ms], { onTestFinished }) => {
      const { allow, join, remove } = await createUser()
      onTestFinished(remove)
      const [one, two, three] = [1, 2, 3].map(() =>
        join({ tuning: { leaseMs: LEASE_MS }, ifStoreFails: 'reject' }),
      ) as [Idem, Idem, Idem]
      await Promise.all([one, two, three].map((idem, index) => idem.run(`warm up ${index}`, () => 1)))
      let effects = 0
      const effect = async () => {
        effects++
        await allow(`-${command}`)
        if (command === 'eval') await admin.call('SCRIPT', 'FLUSH')
        await delay(ms)
        return 'done'
      }
      const ask = (idem: Idem) => idem.run('key', effect).catch((error) => error.code)
      const allowed = ['done', 'IDEM_STORE_UNAVAILABLE']
      expect(await ask(one)).toBe('done')
      expect(allowed).toContain(await ask(two))
      expect(await ask(one)).toBe('done')
      await delay(1.2 * LEASE_MS) // Long enough for a lock without renewals to lapse.
      expect(allowed).toContain(await ask(three))
      await allow('+@all')
      expect(allowed).toContain(await ask(two))
      expect(await ask(one)).toBe('done')
      expect(effects).toBe(1)
    },
  )
})

describe('in Redis', () => {
  let user: Awaited<ReturnType<typeof createUser>>
  beforeEach(async () => {
    await admin.call('SCRIPT', 'FLUSH')
    user = await createUser()
  })
  afterEach(() => user.remove())

  describe.each(COMMANDS)('a user without %s', (command) => {
    beforeEach(() => user.allow(`-${command}`))

    test('makes every call and waits for no lease; what is refused is told by name', async () => {
      const { effects, ends } = await lifeOf([user.join(), user.join()], { ifStoreFails: 'execute' })
      expect(ends).toEqual(['done', 'done', 'done', 'done', 'declined', 'done'])
      expect(effects).toBeLessThanOrEqual(2)
      const used = ['set', 'eval', 'evalsha', 'getrange', 'pexpire', 'time', 'spublish', 'ssubscribe']
      if (used.includes(command)) expect(user.warned).toContainEqual(tells(command))
    })

    test("with 'reject' has each effect once, or none and a typed error", async () => {
      const { effects, ends } = await lifeOf([user.join(), user.join()], { ifStoreFails: 'reject' })
      if (NEEDED.includes(command)) {
        expect(effects).toBe(0)
        expect(new Set(ends)).toEqual(new Set(['IDEM_STORE_UNAVAILABLE']))
        expect(user.warned).toContainEqual(tells(command))
      } else {
        expect(effects).toBe(1)
        expect(ends).toEqual(['done', 'done', 'done', 'done', 'declined', 'done'])
      }
    })

    test.each([false, true])(
      'gets every answer over HTTP, whole or streamed (%s), and waits for no lease',
      async (stream) => {
        const [one, other] = [user.join(), user.join()]
        let calls = 0
        let began = () => {}
        const beginning = new Promise<void>((resolve) => {
          began = resolve
        })
        const send = async (signal: AbortSignal) => {
          calls++
          began()
          if (!stream) {
            await delay(50)
            return new Response('{"letters":"ab"}', { headers: { 'content-type': 'application/json' } })
          }
          const call = new ToyCall(signal)
          call.send('a')
          void delay(100).then(() => {
            call.send('b.')
            call.end()
          })
          return call.response
        }
        const ask = async (idem: Idem) => (await askToy(idem, { stream }, send)).text()
        const answer = stream ? 'ab.' : '{"letters":"ab"}'
        const first = ask(one)
        await beginning
        expect(await Promise.all([first, ask(other), ask(other)])).toEqual([answer, answer, answer])
        expect([await ask(one), await ask(other)]).toEqual([answer, answer])
        expect(calls).toBeLessThanOrEqual(2)
        const used = ['set', 'eval', 'evalsha', 'getrange', 'time', 'spublish', 'ssubscribe']
        const streamed = ['exists', 'strlen', 'append', 'pexpire']
        if ([...used, ...(stream ? streamed : [])].includes(command))
          expect(user.warned).toContainEqual(tells(command))
      },
    )

    test('is told so by ready()', async () => {
      const unready = { code: 'IDEM_STORE_UNAVAILABLE', message: tells(command) }
      await expect(user.join().ready()).rejects.toMatchObject(unready)
    })

    test('is ready as soon as it is permitted', async () => {
      const idem = user.join()
      await idem.ready().catch(() => {})
      await user.allow(`+${command}`)
      await idem.ready()
      // The keys of the probe live for a millisecond.
      await vi.waitFor(async () => expect(await admin.keys(`${user.keys}*`)).toEqual([]))
    })
  })

  test('a user that may not use the channels of idem has its calls shared by polls, and is told what to grant', async () => {
    await user.allow('resetchannels')
    const { effects, ends } = await lifeOf([user.join(), user.join()], { ifStoreFails: 'reject' })
    expect(effects).toBe(1)
    expect(ends).toEqual(['done', 'done', 'done', 'done', 'declined', 'done'])
    const grant = expect.stringContaining(`"ACL SETUSER <user> &${user.keys}*"`)
    expect(user.warned).toContainEqual(grant)
    await expect(user.join().ready()).rejects.toMatchObject({ message: grant })
  })

  test('a user that may not use the keys of idem is told what to grant', async () => {
    await user.allow('resetkeys')
    const grant = expect.stringContaining(`"ACL SETUSER <user> ~${user.keys}*"`)
    await expect(user.join().ready()).rejects.toMatchObject({ message: grant })
  })

  test('the permissions that docs/redis.md lists are enough, for everything', async () => {
    const page = await readFile(new URL('../../../docs/redis.md', import.meta.url), 'utf8')
    const [, rules = ''] = /^ACL SETUSER idem (.*)$/m.exec(page) ?? []
    const listed = rules.replaceAll('idem:', redis.prefix).replace('>password', '>secret').split(' ')
    await user.allow('reset', ...listed)
    const [one, other] = [user.join(), user.join()]
    await one.ready()
    const { effects, ends } = await lifeOf([one, other], { ifStoreFails: 'reject' })
    expect(effects).toBe(1)
    expect(ends).toEqual(['done', 'done', 'done', 'done', 'declined', 'done'])
    expect((await one.fleetStats()).requests).toBeGreaterThan(0)
    expect(user.warned).toEqual([])
  })
})
