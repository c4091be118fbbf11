import { Anthropic, type Middleware } from '@anthropic-ai/sdk'
import { createIdem, memoryStore } from '@idem/core'
import type { Store } from '@idem/core/store'
import { describe, expect, test, vi } from 'vitest'
import { idempotency, messagesDialect, withIdem } from '../src/index.js'
import { clientOf, counter, params, useProvider } from './tools.js'

const context = useProvider()

describe('per call', () => {
  test("the SDK's idempotencyKey works; with another body it is a 422 that is not retried", async () => {
    const { client } = clientOf(context.provider)
    const options = { idempotencyKey: 'click-1' }
    const first = await client.messages.create(params, options)
    expect(await client.messages.create(params, options)).toStrictEqual(first)
    expect(context.provider.calls).toBe(1)
    const attempts = counter()
    const counting = client.withOptions({ middleware: [attempts.middleware, ...client.middleware] })
    await expect(counting.messages.create({ ...params, max_tokens: 1 }, options)).rejects.toMatchObject({
      status: 422,
      errorCode: 'IDEM_KEY_REUSED',
    })
    expect(attempts.count).toBe(1)
    expect(context.provider.calls).toBe(1)
  })

  test('idem.key is the same as idempotencyKey, and an Idempotency-Key header too', async () => {
    const { client } = clientOf(context.provider)
    await client.messages.create(params, { idem: { key: 'click-2' } })
    await client.messages.create(params, { idempotencyKey: 'click-2' })
    await client.messages.create(params, { headers: { 'idempotency-key': 'click-2' } })
    expect(context.provider.calls).toBe(1)
    await client.messages.create(params)
    expect(context.provider.calls).toBe(2)
  })

  test('bypass neither replays, nor collapses, nor stores', async () => {
    context.provider.reply({ latencyMs: 30 })
    const { client, idem } = clientOf(context.provider)
    const fresh = () => client.messages.create(params, { idem: { bypass: true } })
    const [a, b] = await Promise.all([fresh(), fresh()])
    expect(a.id).not.toBe(b.id)
    await client.messages.create(params)
    await fresh()
    expect(context.provider.calls).toBe(4)
    expect(idem.stats()).toMatchObject({ bypassed: 3, executed: 1 })
  })

  test('a scope of its own is shared with nobody else, and joins credentials that share it', async () => {
    const { client } = clientOf(context.provider)
    await client.messages.create(params, { idem: { scope: 'tenant a' } })
    await client.messages.create(params, { idem: { scope: 'tenant b' } })
    expect(context.provider.calls).toBe(2)
    await client.withOptions({ apiKey: 'rotated' }).messages.create(params, { idem: { scope: 'tenant a' } })
    expect(context.provider.calls).toBe(2)
  })

  test('ttl is how long the answer is replayed', async () => {
    const { client } = clientOf(context.provider)
    await client.messages.create(params, { idem: { ttl: 60 } })
    const again = async () => {
      await client.messages.create(params, { idem: { ttl: 60 } })
      expect(context.provider.calls).toBe(2)
    }
    await vi.waitFor(again, { timeout: 20_000, interval: 20 })
  })

  test.each([
    ['ttl: 0', { ttl: 0 }],
    ['ttl: NaN', { ttl: Number.NaN }],
    ['an empty key', { key: '' }],
    ['a key over 1 KiB', { key: 'k'.repeat(1025) }],
    ['an unknown option', { tll: 1 } as object],
  ])('%s is a 400 before any call, and is not retried', async (_, idem) => {
    const { client } = clientOf(context.provider)
    const call = client.messages.create(params, { idem })
    await expect(call).rejects.toMatchObject({ status: 400, errorCode: 'IDEM_INVALID_ARGUMENT' })
    expect(context.provider.calls).toBe(0)
  })
})

describe('withIdem', () => {
  test('gives a copy that shares, leaves the client as it was and keeps its middleware', async () => {
    const attempts = counter()
    const plain = new Anthropic({
      baseURL: context.provider.url,
      apiKey: 'key',
      middleware: [attempts.middleware],
    })
    const shared = withIdem(plain, createIdem())
    await shared.messages.create(params)
    await shared.messages.create(params)
    expect(context.provider.calls).toBe(1)
    expect(attempts.count).toBe(2)
    await plain.messages.create(params)
    expect(context.provider.calls).toBe(2)
  })

  test('twice on one client does the work once', async () => {
    const idem = createIdem()
    const twice = withIdem(withIdem(clientOf(context.provider).client, idem), idem)
    await Promise.all([twice.messages.create(params), twice.messages.create(params)])
    expect(context.provider.calls).toBe(1)
    expect(idem.stats().executed).toBeLessThanOrEqual(1)
  })

  test('together with idem.fetch below it does the work once, and says so to debug', async () => {
    const debug = vi.fn()
    const idem = createIdem({ dialects: [messagesDialect], logger: { warn() {}, debug } })
    const client = withIdem(
      new Anthropic({ baseURL: context.provider.url, apiKey: 'key', fetch: idem.fetch }),
      idem,
    )
    await Promise.all([client.messages.create(params), client.messages.create(params)])
    expect(context.provider.calls).toBe(1)
    expect(idem.stats()).toMatchObject({ requests: 2, executed: 1, collapsed: 1 })
    expect(debug.mock.calls).toEqual([[expect.stringContaining('Two doors of idem')]])
  })

  test('takes a scope for clients whose credential changes from call to call', async () => {
    let rotation = 0
    const rotating = new Anthropic({ baseURL: context.provider.url, apiKey: async () => `key-${rotation++}` })
    const client = withIdem(rotating, createIdem(), { scope: 'team' })
    await client.messages.create(params)
    await client.messages.create(params)
    expect(context.provider.calls).toBe(1)
  })
})

test('middleware of one call may change it unseen: such calls are not shared, unless they give a key', async () => {
  const { client, idem } = clientOf(context.provider)
  const asked = (system: string): Middleware => {
    return (request, next) => next({ ...request, body: JSON.stringify({ ...params, system }) })
  }
  await client.messages.create(params, { middleware: [asked('A')] })
  await client.messages.create(params, { middleware: [asked('B')] })
  expect(context.provider.requests.map(({ body }) => body.system)).toEqual(['A', 'B'])
  expect(idem.stats().bypassed).toBe(2)
  const keyed = { middleware: [counter().middleware], idempotencyKey: 'mine' }
  await client.messages.create(params, keyed)
  await client.messages.create(params, keyed)
  expect(context.provider.calls).toBe(3)
})

test.each([[{ scope: '' }], [{ scope: 7 as never }], [{ scpe: 'x' } as object]])(
  'idempotency() refuses %j at once',
  (options) => {
    expect(() => idempotency(createIdem(), options)).toThrow(
      expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' }),
    )
  },
)

test('no credential and no prompt reaches the store, a log, an event or a header of the answer', async () => {
  const given: unknown[][] = []
  const hear = (line: unknown) => void given.push([line])
  const logger = { warn: hear, info: hear, debug: hear }
  const store = new Proxy(memoryStore(), {
    get(target, name: keyof Store) {
      const method = target[name] as unknown as (...args: unknown[]) => unknown
      if (typeof method !== 'function') return method
      return (...args: unknown[]) => {
        given.push([
          name,
          ...args.map((arg) => (arg instanceof Uint8Array ? Buffer.from(arg).toString() : arg)),
        ])
        return method.apply(target, args)
      }
    },
  })
  const idem = createIdem({ store, logger })
  idem.on('call', hear)
  const client = new Anthropic({
    baseURL: context.provider.url,
    apiKey: 'sk-very-secret',
    middleware: [idempotency(idem), idempotency(idem)],
  })
  for (let call = 0; call < 2; call++) {
    given.push([...(await client.messages.create(params).asResponse()).headers])
  }
  await client.messages
    .create(params, { idem: { ttl: 'never' as never } })
    .catch((error) => hear(String(error)))
  await idem.fleetStats()
  const all = JSON.stringify(given)
  for (const kept of ['complete', 'report', 'cache-status', 'replayed, saved', 'ttl must be', 'Two doors']) {
    expect(all).toContain(kept)
  }
  expect(all).not.toContain('sk-very-secret')
  expect(all).not.toContain('What is idempotency?')
})
