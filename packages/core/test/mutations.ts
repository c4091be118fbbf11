import fc from 'fast-check'
import type { Dialect } from '../src/dialect.js'
import { createIdem, type Idem, type IdemOptions, memoryStore } from '../src/index.js'
import type { Store } from '../src/store.js'
import { toyDialect } from './toy-dialect.js'

/** Written as a number that JSON.parse makes infinite. */
const ENDLESS = '@endless'

const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth))

/** Values that replace any member. */
const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 53,
    1e300,
    2 ** 31,
    99,
    204,
    302,
    500,
    600,
    ENDLESS,
    '',
    'text',
    {},
    { toString: 1, valueOf: 1 },
    { length: 1e9 },
    [],
    [['content-length', '1']],
    [['a b', 'x']],
    [['a', 1]],
    nested(1_000),
  ),
)

type Edit = readonly [at: number, value: unknown]

/** Edits of the head of sealed bytes: some members, at any depth, are replaced or removed. */
export const edits = fc.array(fc.tuple(fc.nat(), junk), { minLength: 1, maxLength: 3 })

/** The same bytes with an edited head. */
export function edited(sealed: Uint8Array, list: readonly Edit[]): Uint8Array {
  const end = sealed.indexOf(0x0a)
  const head = JSON.parse(Buffer.from(sealed.subarray(0, end)).toString())
  for (const [at, value] of list) {
    const places = placesIn(head)
    const place = places[at % places.length]
    if (!place) continue
    if (value === undefined) delete place.parent[place.name]
    else place.parent[place.name] = structuredClone(value)
  }
  const text = JSON.stringify(head).replaceAll(`"${ENDLESS}"`, '1e999')
  return Buffer.concat([Buffer.from(text), sealed.subarray(end)])
}

interface Place {
  readonly parent: Record<string, unknown>
  readonly name: string
}

function placesIn(value: unknown, depth = 0): Place[] {
  if (typeof value !== 'object' || value === null || depth > 5) return []
  const parent = value as Record<string, unknown>
  return Object.keys(parent).flatMap((name) => [{ parent, name }, ...placesIn(parent[name], depth + 1)])
}

/** The toy dialect with answers that have a model, a usage and a price. */
export const pricedDialect: Dialect = {
  ...toyDialect,
  assess: () => ({ keep: 'store', model: 'toy-1', usage: { input: 3, output: 4 } }),
  prices: { date: '2026-11-01', models: { 'toy-1': { input: 1, output: 1 } } },
}

/** One process on this store. `calls` counts its upstream calls, which give `answer()`. */
export function processOn(store: Store, answer: () => Response, options: IdemOptions = {}) {
  const warnings: string[] = []
  const logger = { warn: (line: string) => void warnings.push(line), info() {} }
  const idem = createIdem({
    store,
    logger,
    ...options,
    tuning: { pollMinMs: 1, pollMaxMs: 5, ...options.tuning },
  })
  const keys: (string | undefined)[] = []
  idem.on('call', ({ digest: key }) => keys.push(key))
  const one = { idem, warnings, keys, calls: 0, ask }
  function ask(stream: boolean, options = {}): Promise<Response> {
    return idem.exchange({
      dialect: pricedDialect,
      request: {
        url: 'http://toy/',
        method: 'POST',
        headers: new Headers({ authorization: 'key' }),
        body: JSON.stringify({ stream }),
      },
      async send() {
        one.calls++
        return answer()
      },
      options,
    })
  }
  return one
}

export const wholeAnswer = () =>
  new Response('{"letters":"abc"}', { headers: { 'content-type': 'application/json', 'x-about': 'it' } })
export const streamedAnswer = () =>
  new Response('abc.', { headers: { 'content-type': 'text/event-stream', 'x-about': 'it' } })

/** What an idem writes to its store for this: key, fingerprint and all bytes. */
export async function written(
  act: (one: ReturnType<typeof processOn>, idem: Idem) => Promise<unknown>,
  answer = wholeAnswer,
) {
  const store = memoryStore()
  const found = {
    key: '',
    fingerprint: '',
    record: Buffer.of() as Uint8Array,
    head: Buffer.of() as Uint8Array,
  }
  const spy: Store = Object.assign(Object.create(store), {
    complete(...args: Parameters<Store['complete']>) {
      Object.assign(found, { key: args[0], fingerprint: args[1].fingerprint, record: args[2] })
      return store.complete(...args)
    },
    append(...args: Parameters<NonNullable<Store['append']>>) {
      if (args[2] === 0) found.head = args[3]
      return store.append!(...args)
    },
    acquire: store.acquire.bind(store),
    watch: store.watch!.bind(store),
  })
  for (const name of [
    'renew',
    'release',
    'leaveNote',
    'readNote',
    'read',
    'forget',
    'tail',
    'report',
    'reports',
    'ready',
    'close',
  ] as const)
    Object.assign(spy, { [name]: (store[name] as () => unknown).bind(store) })
  const one = processOn(spy, answer)
  await act(one, one.idem)
  return found
}
