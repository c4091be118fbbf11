import { channel } from 'node:diagnostics_channel'
import { describe, expect, test, vi } from 'vitest'
import type { Dialect } from '../src/dialect.js'
import { type CallEvent, createIdem, type IdemOptions, memoryStore } from '../src/index.js'
import { dollarsFor } from '../src/observe/prices.js'
import { NO_USAGE } from '../src/observe/usage.js'
import { askToy, toyDialect } from './toy-dialect.js'

const usage = {
  input: 1_000,
  output: 500,
  cacheRead: 10_000,
  cacheWrite5m: 100,
  cacheWrite1h: 10,
  webSearches: 2,
}
const priced: Dialect = {
  ...toyDialect,
  assess: ({ model }) => ({ keep: 'store', model: String(model), usage }),
  prices: { date: '2026-01-01', models: { known: { input: 3, output: 15, cacheRead: 0.3 } } },
}

function idemWith(options: IdemOptions = {}) {
  const idem = createIdem(options)
  const ask = (
    { try: count = 1, ...body }: { try?: number; prompt?: string },
    send = async () => Response.json({ model: 'known-20260101' }),
  ) => {
    const headers = new Headers({ authorization: 'key', 'x-stainless-retry-count': String(count - 1) })
    const request = { url: 'http://toy/', method: 'POST', headers, body: JSON.stringify(body) }
    return idem.exchange({ dialect: priced, request, send })
  }
  return { idem, ask }
}

describe('dollars', () => {
  const models = {
    m: { input: 3, output: 15, cacheRead: 0.3, cacheWrite5m: 3.75, cacheWrite1h: 6, webSearches: 10 },
  }

  test('are those of each kind of token, per million, and of searches, per thousand', () => {
    const million = 1_000_000
    const all = { ...NO_USAGE, input: million, output: million, cacheRead: million }
    expect(dollarsFor(all, 'm', models)).toBeCloseTo(18.3)
    const cached = { ...NO_USAGE, cacheWrite5m: million, cacheWrite1h: million, webSearches: 1_000 }
    expect(dollarsFor(cached, 'm', models)).toBeCloseTo(19.75)
    // Part of the output already.
    expect(dollarsFor({ ...NO_USAGE, thinking: million }, 'm', models)).toBe(0)
  })

  test.each(['m', 'm-20261101', 'm-2026-11-01', 'm@20261101', 'm-latest'])('are known for %s', (name) => {
    expect(dollarsFor({ ...NO_USAGE, input: 1_000_000 }, name, models)).toBe(3)
  })

  test.each(['m2', 'm-2', 'm-mini', 'my-m', 'toString', ''])('are not guessed for %j', (name) => {
    expect(dollarsFor({ ...NO_USAGE, input: 1_000_000 }, name, models)).toBeUndefined()
  })

  test('are those of the first list that names the model, the dated name first', () => {
    const own = { 'm-20261101': { input: 1 } }
    expect(dollarsFor({ ...NO_USAGE, input: 1_000_000 }, 'm-20261101', own, models)).toBe(1)
    expect(dollarsFor({ ...NO_USAGE, input: 1_000_000 }, 'm-20261102', own, models)).toBe(3)
  })

  test.each([
    [null],
    [{ m: 3 }],
    [{ m: {} }],
    [{ m: { input: -1 } }],
    [{ m: { input: '3' } }],
    [{ m: { input: 3, outputs: 15 } }],
  ])('of %j are refused', (prices) => {
    const invalid = expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' })
    expect(() => createIdem({ prices: prices as never })).toThrow(invalid)
  })
})

describe('savings', () => {
  test('are split by how it was saved: replayed, collapsed, and retries of a call of one’s own', async () => {
    const { idem, ask } = idemWith()
    await Promise.all([ask({}), ask({}), ask({ try: 2 })])
    await ask({})
    await ask({ try: 2 })
    const { saved, ...stats } = idem.stats()
    expect(stats).toMatchObject({
      requests: 5,
      executed: 1,
      collapsed: 2,
      replayed: 2,
      hits: 4,
      hitRate: 0.8,
    })
    expect(saved.collapsed).toMatchObject({ calls: 1, tokens: 11_610 })
    expect(saved.replayed).toMatchObject({ calls: 1, tokens: 11_610 })
    expect(saved.retryCollapsed).toMatchObject({ calls: 2, tokens: 23_220 })
    expect(saved).toMatchObject({ calls: 4, tokens: 46_440, usage: { output: 2_000, webSearches: 8 } })
    // 1,110 tokens at 3, 500 at 15, 10,000 at 0.3 a million.
    expect(saved.dollars).toBeCloseTo((4 * (1_110 * 3 + 500 * 15 + 10_000 * 0.3)) / 1_000_000)
  })

  test('of a model without a price are tokens and no dollars', async () => {
    const { idem, ask } = idemWith()
    const unknown = async () => Response.json({ model: 'new' })
    for (let call = 0; call < 2; call++) await ask({}, unknown)
    expect(idem.stats().saved).toMatchObject({ calls: 1, tokens: 11_610, dollars: 0 })
  })

  test('are at the prices that were given, where they name the model', async () => {
    const { idem, ask } = idemWith({ prices: { known: { input: 1 } } })
    for (let call = 0; call < 2; call++) await ask({})
    expect(idem.stats().saved.dollars).toBeCloseTo(11_110 / 1_000_000)
  })

  test('of a caller that left another one’s call are zero', async () => {
    const { idem, ask } = idemWith()
    const gone = new AbortController()
    const running = ask(
      {},
      () => new Promise((resolve) => setTimeout(resolve, 20, Response.json({ model: 'known' }))),
    )
    const request = {
      url: 'http://toy/',
      method: 'POST',
      headers: new Headers({ authorization: 'key' }),
      body: '{}',
    }
    const options = { key: 'one', ignoreBodyFields: ['try'] }
    const leaving = idem.exchange({
      dialect: priced,
      request: { ...request, signal: gone.signal },
      send: async () => Response.error(),
      options,
    })
    gone.abort()
    await expect(leaving).rejects.toThrow()
    await running
    expect(idem.stats()).toMatchObject({ executed: 1, requests: 1, hits: 0 })
  })
})

describe('events', () => {
  test('tell of each call, to listeners of the idem and to the diagnostics channel', async () => {
    const { idem, ask } = idemWith()
    const [heard, published]: [CallEvent[], unknown[]] = [[], []]
    const hear = (message: unknown) => void published.push(message)
    const stop = idem.on('call', (event) => heard.push(event))
    channel('idem:call').subscribe(hear)
    await ask({})
    await ask({ try: 2 })
    await idem.run('work', () => 1)
    channel('idem:call').unsubscribe(hear)
    stop()
    await ask({})
    expect(heard).toEqual([
      expect.objectContaining({ door: 'toy', outcome: 'executed', isRetry: false, model: 'known-20260101' }),
      expect.objectContaining({
        door: 'toy',
        outcome: 'replayed',
        isRetry: true,
        usage: { ...NO_USAGE, ...usage },
      }),
      expect.objectContaining({ door: 'run', outcome: 'executed' }),
    ])
    expect(heard[0]!.dollars).toBeCloseTo(0.01383)
    expect(published).toEqual(heard)
    expect(new Set(heard.map(({ digest: key }) => key?.length))).toEqual(new Set([43]))
  })

  test('reach all listeners when one of them throws, and the call is answered', async () => {
    const warn = vi.fn()
    const { idem } = idemWith({ logger: { warn } })
    const heard = vi.fn()
    idem.on('call', () => {
      throw new Error('a bug in a listener')
    })
    idem.on('call', heard)
    expect(await idem.run('key', () => 1)).toBe(1)
    expect(heard).toHaveBeenCalledTimes(1)
    expect(warn).toHaveBeenCalledWith(expect.stringContaining("A listener of 'call' failed"))
  })

  test('of an unknown name are refused', () => {
    const invalid = expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' })
    expect(() => createIdem().on('cal' as never, () => {})).toThrow(invalid)
  })

  test('survive listeners that fail later', async () => {
    const { idem } = idemWith({ logger: { warn() {} } })
    idem.on('call', async () => Promise.reject(new Error('a bug in a listener')))
    expect(await idem.run('key', () => 1)).toBe(1)
  })

  test('tell of warnings, each topic once', async () => {
    const { idem } = idemWith({ logger: { warn() {} } })
    const heard = vi.fn()
    idem.on('warning', heard)
    for (const key of ['a', 'b']) await idem.run(key, () => new Map())
    expect(heard).toHaveBeenCalledTimes(1)
    expect(heard).toHaveBeenCalledWith(expect.objectContaining({ topic: 'unfit-value' }))
  })

  test('tell of each reason why an answer is not understood, once, and of twenty at most', async () => {
    const warn = vi.fn()
    const idem = createIdem({ logger: { warn } })
    const headers = new Headers({ authorization: 'key' })
    const answer = async (doubt: string) => {
      const dialect: Dialect = { ...priced, assess: () => ({ keep: 'share', doubt }) }
      const request = { url: 'http://toy/', method: 'POST', headers, body: JSON.stringify({ doubt }) }
      await idem.exchange({ dialect, request, send: async () => Response.json({}) })
    }
    for (const doubt of ['one', 'two', 'one']) await answer(doubt)
    expect(warn.mock.calls.map(([line]) => /not understood: (\w+)/.exec(line)?.[1])).toEqual(['one', 'two'])
    for (let each = 0; each < 50; each++) await answer(`quotes ${each}`)
    expect(warn).toHaveBeenCalledTimes(20)
  })
})

describe('the log', () => {
  test('has a line for each call that was not paid for: the key’s beginning and what was saved, no more', async () => {
    const info = vi.fn()
    const { ask } = idemWith({ logger: { warn() {}, info } })
    const executed = await ask({ prompt: 'a secret' })
    expect(info).not.toHaveBeenCalled()
    await ask({ prompt: 'a secret' })
    const key = /key="(.{12})/.exec(executed.headers.get('cache-status')!)?.[1]
    expect(info.mock.calls).toEqual([[`idem: toy ${key}… replayed, saved 11610 tokens ($0.0138).`]])
  })

  test('that fails fails no call', async () => {
    const broken = () => {
      throw new Error('disk full')
    }
    const idem = createIdem({ logger: { warn: broken, info: broken } })
    expect(await idem.run('key', () => 1)).toBe(1)
    expect(await idem.run('key', () => 2)).toBe(1)
  })

  test('gets warnings alone where none is given', async () => {
    const log = [vi.spyOn(console, 'info'), vi.spyOn(console, 'log'), vi.spyOn(console, 'debug')]
    const idem = createIdem({ store: memoryStore() })
    for (let call = 0; call < 2; call++) await idem.run('key', () => 1)
    for (const one of log) expect(one).not.toHaveBeenCalled()
    vi.restoreAllMocks()
  })
})

test('what a stream used is counted as well', async () => {
  const idem = createIdem()
  const streams = {
    ...toyDialect.streams!,
    fold: () => ({ status: 200, headers: [], body: Buffer.from('{"model":"known"}') }),
  }
  const dialect = { ...priced, streams }
  const send = async () => new Response('abc.', { headers: { 'content-type': 'text/event-stream' } })
  const request = {
    url: 'http://toy/',
    method: 'POST',
    headers: new Headers({ authorization: 'key' }),
    body: '{"stream":true}',
  }
  for (let call = 0; call < 2; call++) await (await idem.exchange({ dialect, request, send })).text()
  expect(idem.stats().saved).toMatchObject({ calls: 1, tokens: 11_610 })
  await askToy(idem, { stream: true }, send)
})
