import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fetchingIdem, json, post, useEchoServer } from './fetch-tools.js'

const context = useEchoServer()
const urlOf = (path = 'ai/echo') => `${context.server.url}/${path}`

describe('members of init that change the answer', () => {
  const changes: Record<string, object> = {
    'redirect: manual': { redirect: 'manual' },
    'redirect: error': { redirect: 'error' },
    mode: { mode: 'no-cors' },
    credentials: { credentials: 'omit' },
    'other credentials': { credentials: 'include' },
    cache: { cache: 'no-store' },
    referrer: { referrer: 'http://other/' },
    referrerPolicy: { referrerPolicy: 'no-referrer' },
    integrity: { integrity: '' },
    'an unknown number': { unheardOf: 1 },
    'an unknown text': { unheardOf: '1' },
    'an unknown null': { unheardOf: null },
    'an unknown object': { unheardOf: { tags: ['a', { b: null }] } },
    'the same elsewhere': { unheardof: 1 },
    'a name of Object.prototype': { constructor: 'x' },
    'the name of the prototype': JSON.parse('{"__proto__":{"unheardOf":1}}'),
  }

  test('make another key, each of them, and the same one each time', async () => {
    const { idem, ask } = fetchingIdem()
    const some = Object.entries(changes).filter(([name]) => name !== 'integrity')
    for (let round = 0; round < 2; round++) {
      await ask(urlOf(), post)
      for (const [, change] of some) await ask(urlOf(), merge(post, change))
    }
    expect(context.server.received).toHaveLength(some.length + 1)
    expect(idem.stats()).toMatchObject({ executed: some.length + 1, replayed: some.length + 1, bypassed: 0 })
  })

  test('count as well in a Request, in a Request as init, and in what an init inherits', async () => {
    const { ask } = fetchingIdem()
    const manual = { ...post, redirect: 'manual' } as const
    await ask(urlOf(), manual)
    await ask(new Request(urlOf(), manual))
    await ask(urlOf(), new Request('http://elsewhere/', manual))
    await ask(new Request(urlOf(), post), { redirect: 'manual' })
    await ask(urlOf(), Object.create(manual))
    expect(context.server.received).toHaveLength(1)
    class Inherited {
      get unheardOf() {
        return 'read'
      }
    }
    await ask(urlOf(), Object.assign(new Inherited(), post))
    await ask(urlOf(), { ...post, unheardOf: 'read' })
    expect(context.server.received).toHaveLength(2)
  })

  test('of whatever JSON and name are told apart as JSON is', async () => {
    const known = new Set(['method', 'headers', 'body', 'signal', 'idem', 'window'])
    const name = fc
      .string({ minLength: 1 })
      .filter((one) => !known.has(one) && !(one in new Request(urlOf())))
    // JSON has no -0.
    const value = fc.jsonValue().map((one) => JSON.parse(JSON.stringify(one)))
    await fc.assert(
      fc.asyncProperty(name, value, value, async (name, one, other) => {
        const { idem, ask } = fetchingIdem({ fetch: async () => Response.json({}) })
        await ask(urlOf(), merge(post, { [name]: one }))
        await ask(urlOf(), merge(post, { [name]: structuredClone(one) }))
        expect(idem.stats()).toMatchObject({ executed: 1, replayed: 1 })
        await ask(urlOf(), merge(post, { [name]: other }))
        await ask(urlOf(), post)
        const isSame = sorted(one) === sorted(other)
        expect(idem.stats()).toMatchObject({ executed: isSame ? 2 : 3, bypassed: 0 })
      }),
      { numRuns: 50 },
    )
  })

  test('are sent as they were when the key was made of them', async () => {
    const sent: unknown[] = []
    const { ask } = fetchingIdem({
      fetch: async (_, init) => {
        sent.push(init)
        return Response.json({})
      },
    })
    const next = { tags: ['a'] }
    const call = ask(urlOf(), { ...post, next })
    next.tags.push('b')
    await call
    expect(sent).toEqual([expect.objectContaining({ next: { tags: ['a'] } })])
  })

  test.each<[string, object]>([
    ['a function', { unheardOf: () => {} }],
    ['an object that is no JSON', { unheardOf: new Map() }],
    ['an object deep inside', { unheardOf: { a: [{ b: new Date() }] } }],
    ['a cycle', { unheardOf: cycle() }],
    ['NaN', { unheardOf: Number.NaN }],
    ['a bigint', { unheardOf: 1n }],
    ['a symbol as its name', { [Symbol('unheardOf')]: 1 }],
  ])(
    'that cannot be compared, such as %s, make it a call of its own, with one warning',
    async (_, change) => {
      const { idem, ask, warnings } = fetchingIdem()
      await Promise.all([ask(urlOf(), { ...post, ...change }), ask(urlOf(), { ...post, ...change })])
      await ask(new Request(urlOf(), post), change)
      expect(context.server.received).toHaveLength(3)
      expect(context.server.received.map(({ body }) => body)).toEqual(
        Array(3).fill(Buffer.from(json).toString('latin1')),
      )
      expect(idem.stats()).toMatchObject({ requests: 3, bypassed: 3, executed: 0 })
      expect(warnings).toEqual([expect.stringMatching(/unheardOf.* NOT shared\. Leave it out/)])
      await ask(urlOf(), { ...post, another: () => {} })
      expect(warnings).toHaveLength(2)
    },
  )
})

function cycle(): object {
  const one: { self?: object } = {}
  one.self = one
  return one
}

/** One object of all members, `__proto__` among them. */
function merge(one: object, other: object): object {
  return Object.fromEntries([...Object.entries(one), ...Object.entries(other)])
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_, member) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? ['an object', ...Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))]
      : member,
  )
}

test('idem options of a call that no dialect knows do nothing, which is told once', async () => {
  const { ask, warnings } = fetchingIdem()
  const passed = `${new URL(urlOf()).origin}/echo`
  await ask(passed, { ...post, idem: { ttl: 'chat' } })
  await ask(passed, { ...post, idem: { ttl: 'chat' } })
  await ask(passed, post)
  expect(warnings).toEqual([expect.stringMatching(/none of the dialects.*options did nothing/)])
})
