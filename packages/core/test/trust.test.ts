import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  sealAnswer,
  sealEnding,
  sealHead,
  unsealAnswer,
  unsealEnding,
  unsealHead,
} from '../src/answer/record.js'
import { createIdem, isIdemError, memoryStore } from '../src/index.js'
import { Events } from '../src/observe/events.js'
import { NO_TOTALS } from '../src/observe/stats.js'
import { httpCodec } from '../src/response/http-codec.js'
import { edited, edits, pricedDialect, processOn, streamedAnswer, wholeAnswer, written } from './mutations.js'
import { deferred } from './tools.js'

const codec = httpCodec(
  { dialect: pricedDialect, json: {}, toolCalls: 'share' },
  1_000,
  new Events({ warn() {} }),
)
const claimOf = ({ fingerprint }: { fingerprint: string }) => ({
  owner: 'another-owner-of-22-ch',
  fingerprint,
})
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0

/** The facts that are served have the types that idem writes. */
function expectTyped({ facts }: { facts: Readonly<Record<string, unknown>> }, statuses: [number, number]) {
  const { status, model, usage } = facts as { status: number; model?: unknown; usage?: object }
  expect(Number.isInteger(status) && status >= statuses[0] && status <= statuses[1]).toBe(true)
  expect(['string', 'undefined']).toContain(typeof model)
  for (const [name, count] of Object.entries(usage ?? {}))
    if (['input', 'output', 'cacheRead', 'thinking'].includes(name)) expect(isCount(count)).toBe(true)
  for (const [name, value] of facts.headers as unknown[][])
    expect(() => new Headers([[name as string, value as string]])).not.toThrow()
}

const attempt = <T>(decode: () => T): T | undefined => {
  try {
    return decode()
  } catch {
    return undefined
  }
}

describe('bytes of which any members were changed', { timeout: 60_000 }, () => {
  let whole: Awaited<ReturnType<typeof written>>
  let streamed: Awaited<ReturnType<typeof written>>
  let value: Awaited<ReturnType<typeof written>>
  beforeAll(async () => {
    whole = await written(({ ask }) => ask(false))
    streamed = await written(({ ask }) => ask(true).then((response) => response.text()), streamedAnswer)
    value = await written((_, idem) => idem.run('key', () => ({ a: 1 })))
  })

  test('of a record are corrupt, or an answer of the same types', () => {
    fc.assert(
      fc.property(fc.boolean(), edits, (isStream, list) => {
        const unsealed = unsealAnswer(edited((isStream ? streamed : whole).record, list))
        if (unsealed.state !== 'sealed') return
        const { answer } = unsealed
        expect(answer.ttlMs > 0 && answer.ttlMs < 2 ** 31).toBe(true)
        if (attempt(() => codec.decode(answer, 'record'))) expectTyped(answer, [200, 299])
      }),
      { numRuns: 2_000 },
    )
  })

  test('of an ending count as lost, or are an ending of the same types', () => {
    const failure = { name: 'Error', message: 'no', code: 'E' }
    const { answer } = unsealAnswer(whole.record) as { answer: Parameters<typeof sealAnswer>[0] }
    const endings = [
      sealEnding({ type: 'failed', failure }),
      sealEnding({ type: 'unshareable' }),
      sealEnding({ type: 'answer', answer: { ...answer, facts: { ...answer.facts, status: 529 } } }),
    ]
    fc.assert(
      fc.property(fc.constantFrom(...endings), edits, (sealed, list) => {
        const ending = unsealEnding(edited(sealed, list))
        if (ending?.type === 'failed') {
          const { name, message, code } = ending.failure
          expect([typeof name, typeof message]).toEqual(['string', 'string'])
          expect(['string', 'undefined']).toContain(typeof code)
        }
        if (ending?.type !== 'answer') return
        const { answer } = ending
        if (attempt(() => codec.decode(answer, 'ending'))) expectTyped(answer, [200, 599])
      }),
      { numRuns: 2_000 },
    )
  })

  test('of the head of a live log are followed only as a stream that idem would begin', () => {
    fc.assert(
      fc.property(edits, (list) => {
        const unsealed = unsealHead(edited(streamed.head, list))
        if (!unsealed || unsealed === 'cut') return
        const { head } = unsealed
        if (attempt(() => codec.decode({ ...head, body: new Uint8Array() }, 'live')))
          expectTyped(head, [200, 200])
      }),
      { numRuns: 2_000 },
    )
  })

  test('of a record: every caller of HTTP is answered, by one call at most, and agrees with the next', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.boolean(), edits, async (isStream, asStream, list) => {
        const real = isStream ? streamed : whole
        const store = memoryStore()
        await store.complete(real.key, claimOf(real), edited(real.record, list), 60_000)
        const one = processOn(store, asStream ? streamedAnswer : wholeAnswer)
        const other = processOn(store, () => Response.error())
        const [first, joined] = await Promise.all([one.ask(asStream), one.ask(asStream)])
        const text = await first.text()
        expect(await joined.text()).toBe(text)
        expect(one.calls).toBeLessThanOrEqual(1)
        // A record of a newer version is left alone, and its key is not shared.
        if (one.warnings.some((line) => line.includes('newer version'))) return
        expect(await (await other.ask(asStream)).text()).toBe(text)
        expect(other.calls).toBe(0)
        const { saved } = other.idem.stats()
        expect([isCount(saved.tokens), Number.isFinite(saved.dollars)]).toEqual([true, true])
      }),
      { numRuns: 100 },
    )
  })

  test('of a record of run: every caller gets a value, from one execution at most', async () => {
    await fc.assert(
      fc.asyncProperty(edits, async (list) => {
        const store = memoryStore()
        await store.complete(value.key, claimOf(value), edited(value.record, list), 60_000)
        const one = processOn(store, wholeAnswer)
        let runs = 0
        const work = () => ({ a: ++runs })
        const values = await Promise.all([one.idem.run('key', work), one.idem.run('key', work)])
        expect(values).toEqual([{ a: 1 }, { a: 1 }])
        expect(runs).toBeLessThanOrEqual(1)
      }),
      { numRuns: 100 },
    )
  })

  test('of an ending: waiters get it, a typed error or their own call, and no lock stays', async () => {
    const failure = { name: 'Error', message: 'no', code: 'E' }
    const { answer } = unsealAnswer(whole.record) as { answer: Parameters<typeof sealAnswer>[0] }
    const endings = [
      [value, sealEnding({ type: 'failed', failure })],
      [value, sealEnding({ type: 'unshareable' })],
      [whole, sealEnding({ type: 'answer', answer })],
    ] as const
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...endings), edits, async ([real, sealed], list) => {
        const store = memoryStore()
        const claim = claimOf(real)
        await store.acquire(real.key, claim, 60_000)
        const one = processOn(store, wholeAnswer)
        const looked = deferred()
        const acquire = store.acquire.bind(store)
        store.acquire = (...args) => acquire(...args).finally(looked.resolve)
        const asked = real === value ? one.idem.run('key', () => ({ a: 2 })) : one.ask(false)
        await looked.promise
        await store.leaveNote(real.key, claim.owner, edited(sealed, list), 60_000)
        await store.release(real.key, claim.owner)
        await asked.catch((error) => expect(isIdemError(error)).toBe(true))
        expect((await store.read(real.key)).state).not.toBe('locked')
      }),
      { numRuns: 100 },
    )
  })

  test('of the head of a live log: callers that want a stream get the whole answer', async () => {
    await fc.assert(
      fc.asyncProperty(edits, async (list) => {
        const store = memoryStore()
        const claim = claimOf(streamed)
        await store.acquire(streamed.key, claim, 60_000)
        await store.append!(streamed.key, claim.owner, 0, edited(streamed.head, list), 60_000)
        const one = processOn(store, () => Response.error())
        const looked = deferred()
        const tail = store.tail!.bind(store)
        store.tail = (...args) => tail(...args).finally(looked.resolve)
        const asked = one.ask(true)
        await looked.promise
        await store.complete(streamed.key, claim, streamed.record, 60_000)
        expect(await (await asked).text()).toBe('abc.')
        expect(one.calls).toBe(0)
      }),
      { numRuns: 100 },
    )
  })
})

describe('a record that idem would not have written', () => {
  const facts = { status: 200, headers: [['content-type', 'application/json']], askedStream: false }
  test.each<[string, object, object?]>([
    ['a status that is not stored', { status: 500 }],
    ['a redirect', { status: 302 }],
    ['a status without a body', { status: 204 }],
    ['a status that is a text', { status: '200' }],
    ['an informational status', { status: 101 }],
    ['a header of one hop', { headers: [['transfer-encoding', 'chunked']] }],
    ['a length', { headers: [['Content-Length', '5']] }],
    ['an encoding', { headers: [['content-encoding', 'gzip']] }],
    ['a cookie', { headers: [['set-cookie', 'a=b']] }],
    ['headers that are no list', { headers: { a: 'b' } }],
    ['a header of three', { headers: [['a', 'b', 'c']] }],
    ['a model that is not a text', { model: { name: 'x' } }],
    ['a giant usage', { usage: { input: 1e300 } }],
    ['a negative usage', { usage: { output: -1 } }],
    ['a usage that is not an object', { usage: 5 }],
    ['a mark of a stream that is a text', { askedStream: 'yes' }],
    ['no time', {}, { ttlMs: 0 }],
    ['an endless time', {}, { ttlMs: 1e12 }],
    ['a negative time', {}, { ttlMs: -1 }],
    ['no facts', {}, { facts: [] }],
    ['another kind', {}, { kind: 'json' }],
    ['a length that is not its own', {}, { bytes: 3 }],
  ])('%s: is not served, warned about once, and replaced by one call', async (_, wrong, head = {}) => {
    const real = await written(({ ask }) => ask(false))
    const body = Buffer.from('{"letters":"xyz"}')
    const line = {
      v: 1,
      kind: 'http',
      ttlMs: 60_000,
      facts: { ...facts, ...wrong },
      bytes: body.byteLength,
      ...head,
    }
    const store = memoryStore()
    const bytes = Buffer.concat([Buffer.from(`${JSON.stringify(line)}\n`), body])
    await store.complete(real.key, claimOf(real), bytes, 60_000)
    const [one, other] = [processOn(store, wholeAnswer), processOn(store, wholeAnswer)]
    expect(await (await one.ask(false)).json()).toEqual({ letters: 'abc' })
    expect(await (await other.ask(false)).json()).toEqual({ letters: 'abc' })
    expect([one.calls, other.calls]).toEqual([1, 0])
    expect(one.warnings.filter((line) => line.includes('could not be read'))).toHaveLength(1)
  })

  test('except members it does not know: those are left alone', async () => {
    const real = await written(({ ask }) => ask(false))
    const store = memoryStore()
    await store.complete(real.key, claimOf(real), edited(real.record, []), 60_000)
    const sealed = unsealAnswer(real.record) as { answer: Parameters<typeof sealAnswer>[0] }
    const { answer } = sealed
    const newer = { ...answer, facts: { ...answer.facts, aMemberOfTomorrow: [1] } }
    await store.complete(real.key, claimOf(real), sealAnswer(newer, 60_000), 60_000, { over: true })
    const one = processOn(store, () => Response.error())
    expect(await (await one.ask(false)).json()).toEqual({ letters: 'abc' })
    expect(one.calls).toBe(0)
  })
})

describe('another fingerprint under a key', () => {
  const another = { owner: 'another-owner-of-22-ch', fingerprint: 'f'.repeat(43) }

  test('that is made of the request: a record is replaced by one call; nobody is told of a key reused', async () => {
    const real = await written(({ ask }) => ask(false))
    const store = memoryStore()
    await store.complete(real.key, another, real.record, 60_000)
    const [one, other] = [processOn(store, wholeAnswer), processOn(store, wholeAnswer)]
    const response = await one.ask(false)
    expect([response.status, await response.json()]).toEqual([200, { letters: 'abc' }])
    expect((await other.ask(false)).status).toBe(200)
    expect([one.calls, other.calls]).toEqual([1, 0])
  })

  test('that is made of the request: a refresh replaces the record', async () => {
    const real = await written(({ ask }) => ask(false))
    const store = memoryStore()
    await store.complete(real.key, another, real.record, 60_000)
    const [one, other] = [processOn(store, wholeAnswer), processOn(store, wholeAnswer)]
    expect((await one.ask(false, { refresh: true })).status).toBe(200)
    expect((await other.ask(false)).status).toBe(200)
    expect([one.calls, other.calls]).toEqual([1, 0])
  })

  test('that is made of the request: under a lock the call is made unshared, at once, with one warning', async () => {
    const real = await written(({ ask }) => ask(false))
    const store = memoryStore()
    await store.acquire(real.key, another, 600_000)
    const one = processOn(store, wholeAnswer)
    expect((await one.ask(false)).status).toBe(200)
    expect((await one.ask(false)).status).toBe(200)
    expect(one.calls).toBe(2)
    expect(one.warnings.filter((line) => line.includes('lock is damaged'))).toHaveLength(1)
    expect(await store.read(real.key)).toMatchObject({ state: 'locked', ...another })
  })

  test.each(['record', 'lock'] as const)(
    'that the caller gave: a %s refuses with 422, and no call',
    async (kind) => {
      const store = memoryStore()
      const one = processOn(store, wholeAnswer)
      await one.ask(false, { key: 'mine' })
      const key = one.keys[0]!
      const { record } = (await store.read(key)) as { record: { bytes: Uint8Array } }
      await store.forget(key)
      if (kind === 'record') await store.complete(key, another, record.bytes, 60_000)
      else await store.acquire(key, another, 60_000)
      const other = processOn(store, wholeAnswer)
      expect((await other.ask(false, { key: 'mine' })).status).toBe(422)
      expect(other.calls).toBe(0)
      const id = await written((_, idem) => idem.run('key', () => 1))
      if (kind === 'record') await store.complete(id.key, another, id.record, 60_000)
      else await store.acquire(id.key, another, 60_000)
      await expect(other.idem.run('key', () => 2)).rejects.toMatchObject({ code: 'IDEM_KEY_REUSED' })
    },
  )
})

test('a report of a fleet of any JSON, or of any bytes, leaves numbers that are counts', async () => {
  const report = fc.oneof(
    fc.json().map((text) => Buffer.from(text)),
    fc.uint8Array(),
    edits.map((list) => edited(Buffer.from(`${JSON.stringify(NO_TOTALS)}\n`), list)),
  )
  await fc.assert(
    fc.asyncProperty(report, report, async (one, other) => {
      const store = memoryStore()
      const board = `stats-${new Date().toISOString().slice(0, 10)}`
      await store.report!(board, 'one', one, 60_000)
      await store.report!(board, 'other', other, 60_000)
      const { saved, ...counts } = await createIdem({ store, logger: { warn() {} } }).fleetStats()
      const numbers = [...Object.values(counts).filter((value) => typeof value === 'number'), saved.tokens]
      expect(numbers.every((number) => number >= 0 && Number.isFinite(number))).toBe(true)
      expect(saved.dollars >= 0 && Number.isFinite(saved.dollars)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('the head of a live log that never ends is not waited for', () => {
  expect(unsealHead(Buffer.alloc(2 * 1024 * 1024, 'x'))).toBeUndefined()
  expect(unsealHead(sealHead({ kind: 'http', facts: {} }).subarray(0, 10))).toBe('cut')
})
