import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Claim, Found, Hint, Read, Store, StoredRecord } from '@idem/core/store'

export { sleep }

/** A lease or ttl that lapses within a test. */
export const SHORT_MS = 400
/** For tests that see that it does not lapse too soon. Below a second, for stores that count in seconds. */
export const LIFE_MS = 900
/** One that does not lapse. */
export const LONG_MS = 60_000
/** How much too early a store's clock may call something lapsed: it counts in whole ms, and caches them. */
export const EARLY_MS = 25
/** How long a test waits for what must happen, however slow the machine. */
export const PATIENCE_MS = 3_000

/** Letters and digits at both ends: what else may stand there is for the area `keys` to show. */
function random(bytes: number): string {
  const name = randomBytes(bytes).toString('base64url')
  return /^[^-_].*[^-_]$/.test(name) ? name : random(bytes)
}

/** Shaped as core makes them: a digest for a key and a fingerprint, a random id for an owner. */
export const newKey = () => random(32)
export const newOwner = () => random(16)
export const newClaim = (fingerprint = random(32)): Claim => ({ owner: newOwner(), fingerprint })

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export const now = () => performance.now()

/** Runs `work` `count` times at once. */
export function atOnce<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)))
}

export function assertBytes(actual: Uint8Array | undefined, expected: Uint8Array): void {
  assert.ok(actual instanceof Uint8Array, `bytes were expected, not ${typeof actual}`)
  const equal = Buffer.compare(actual, expected) === 0
  assert.ok(equal, `other bytes came back: ${preview(actual)} instead of ${preview(expected)}`)
}

function preview(bytes: Uint8Array): string {
  return `${bytes.byteLength} bytes, ${JSON.stringify(Buffer.from(bytes.subarray(0, 24)).toString('latin1'))}`
}

export function assertLocked(found: Found | Read, by: Claim): void {
  assert.ok(found.state === 'locked', `the key should be locked, but is ${found.state}`)
  const { owner, fingerprint } = found
  assert.deepEqual({ owner, fingerprint }, { ...by }, 'the lock is of another owner or fingerprint')
}

export function assertRecord(record: StoredRecord, by: Claim, bytes: Uint8Array): void {
  const { owner, fingerprint } = record
  assert.deepEqual({ owner, fingerprint }, { ...by }, 'the record is of another owner or fingerprint')
  assertBytes(record.bytes, bytes)
}

export function assertCompleted(found: Found | Read, by: Claim, bytes: Uint8Array): StoredRecord {
  assert.ok(found.state === 'completed', `the key should be completed, but is ${found.state}`)
  assertRecord(found.record, by, bytes)
  return found.record
}

/** Takes a lock that must be free. */
export async function take(store: Store, key: string, claim: Claim, leaseMs = LONG_MS): Promise<void> {
  const found = await store.acquire(key, claim, leaseMs)
  assert.equal(found.state, 'acquired', 'the key should be free')
}

/** Stores a record that must be the first. */
export async function settle(handle: Store, key: string, claim: Claim, bytes: Uint8Array, ttlMs = LONG_MS) {
  const completed = await handle.complete(key, claim, bytes, ttlMs)
  assert.equal(completed.state, 'stored', 'the completion should be stored')
}

/** Takes a lock and completes it. */
export async function record(handle: Store, key: string, claim: Claim, bytes: Uint8Array, ttlMs = LONG_MS) {
  await take(handle, key, claim)
  await settle(handle, key, claim, bytes, ttlMs)
}

export interface Taking {
  readonly leaseMs?: number
  /** Called with every answer until the lock is taken. */
  readonly meanwhile?: (found: Found) => void
}

/**
 * Asks for the lock until it is got: what stands there now must lapse.
 *
 * @returns when it was got; what stood had lapsed by then
 */
export async function takeLapsed(
  store: Store,
  key: string,
  claim: Claim,
  options: Taking = {},
): Promise<number> {
  const { leaseMs = LONG_MS, meanwhile } = options
  const deadline = now() + PATIENCE_MS
  for (;;) {
    const found = await store.acquire(key, claim, leaseMs)
    if (found.state === 'acquired') return now()
    meanwhile?.(found)
    assert.ok(now() < deadline, `the key never became free; it is ${found.state}`)
    await sleep(15)
  }
}

/** Gives a key an owner, lets its lease lapse and has a successor take the lock over. */
export async function letSucceed(store: Store, key: string, stale: Claim, successor: Claim): Promise<void> {
  await take(store, key, stale, 100)
  await sleep(130)
  await takeLapsed(store, key, successor)
}

/**
 * Takes a turn that only tells something if what it made had not lapsed when it looked; again with more time if it
 * had, as on a slow machine.
 *
 * @param turn is given how long to let things live, and says whether it was in time
 */
export async function inTime(turn: (ms: number) => Promise<boolean>): Promise<void> {
  for (const factor of [1, 2, 3]) if (await turn(factor * SHORT_MS)) return
  assert.fail(`what was to live ${3 * SHORT_MS} ms was not met while it should have lived`)
}

/** What was to live `ms` from `sinceMs` at the earliest was still there until then. */
export function assertNotEarly(lapsedAtMs: number, sinceMs: number, ms: number): void {
  const lived = Math.round(lapsedAtMs - sinceMs)
  assert.ok(lived >= ms - EARLY_MS, `gone after ${lived} ms, but should have lived ${ms} ms`)
}

export interface Listening {
  /** Those of owners. That some may have been missed is told by stores that can. */
  readonly hints: OwnersHint[]
  stop(): void
  /** Waits for a hint; others may come before it, and it may come twice. */
  heard<T extends OwnersHint['type']>(type: T, owner: string): Promise<Extract<OwnersHint, { type: T }>>
}

/** A hint of one owner. */
type OwnersHint = Exclude<Hint, { type: 'missed' }>

/** Watches a key, and resolves when the watch is ready. */
export async function listen(store: Store, key: string): Promise<Listening> {
  const hints: OwnersHint[] = []
  const watch = store.watch!(key, (hint) => {
    if (hint.type !== 'missed') hints.push(hint)
  })
  await watch.ready
  return {
    hints,
    stop: () => watch.stop(),
    heard: (type, owner) =>
      eventually(`no hint \`${type}\` came of this owner`, async () => {
        const hint = hints.find((one) => one.type === type && one.owner === owner)
        return hint as Extract<OwnersHint, { type: typeof type }> | undefined
      }),
  }
}

/** Looks until it gets a value. */
export async function eventually<T>(
  otherwise: string,
  look: () => Promise<T | undefined>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const deadline = now() + patienceMs
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    assert.ok(now() < deadline, otherwise)
    await sleep(5)
  }
}

/** Completes over the record that stands, as a refresh does. @returns whether it was written */
export async function writeOver(store: Store, ...args: Parameters<Store['complete']>): Promise<boolean> {
  const [key, claim, bytes, ttlMs] = args
  const { state } = await store.complete(key, claim, bytes, ttlMs, { over: true })
  assert.notEqual(state, 'standing', 'a completion over what stands cannot find it standing')
  return state === 'stored'
}
