import { describe, expect, test } from 'vitest'
import { createIdem, memoryStore } from '../src/index.js'
import type { Hint } from '../src/store.js'
import { controlled, testStore, virtualTime } from './tools.js'

/** Half a lease, ms: with it, a look and the poll are easy to tell apart. */
const HALF_LEASE_MS = 2_500
const tuning = { leaseMs: 2 * HALF_LEASE_MS, pollMaxMs: 500 }

/**
 * An owner at work, and a waiter on a line of its own. `listeners` are the waiter's: what is called there is heard by
 * it alone.
 */
async function waiting(time: ReturnType<typeof virtualTime>) {
  const shared = memoryStore()
  const store = testStore(shared)
  const listeners = new Set<(hint: Hint) => void>()
  let isDeaf = false
  store.watch = (key, listener) => {
    const heard = (hint: Hint) => {
      if (!isDeaf) listener(hint)
    }
    listeners.add(listener)
    return shared.watch!(key, heard)
  }
  const owner = createIdem({ store: shared, tuning })
  const waiter = createIdem({ store, tuning })
  const { work, began, finish } = controlled('answer')
  const first = owner.run('key', work)
  await began
  const second = waiter.runWithOutcome('key', () => 'a call of its own')
  const sent = () => [...store.sent]
  const looks = () => store.sent.filter((command) => command === 'acquire').length
  // Until the first renewal the waiter polls.
  await time.pass(HALF_LEASE_MS)
  return {
    first,
    second,
    finish,
    looks,
    sent,
    shared,
    listeners,
    deafen() {
      isDeaf = true
    },
  }
}

describe('a waiter that hears its owner', () => {
  test('looks every half lease, and has the answer as soon as it is there', async () => {
    const time = virtualTime()
    const { first, second, finish, looks, sent } = await waiting(time)
    const before = looks()
    await time.pass(60_000)
    // Each is between 0.8 and 1 of half a lease after the one before.
    expect(looks() - before).toBeGreaterThanOrEqual(Math.floor(60_000 / HALF_LEASE_MS))
    expect(looks() - before).toBeLessThanOrEqual(Math.ceil(60_000 / (0.8 * HALF_LEASE_MS)))
    // Nor does it ask for a lease for a lock that its owner renews.
    expect(sent()).not.toContain('renew')
    finish()
    const from = performance.now()
    expect(await time.until(second)).toEqual({ value: 'answer', outcome: 'collapsed' })
    expect(performance.now() - from).toBeLessThan(50)
    await first
  })

  test('polls as before when hints stop to come: nothing else tells it of the answer', async () => {
    const time = virtualTime()
    const { first, second, finish, deafen } = await waiting(time)
    await time.pass(10_000)
    deafen()
    await time.pass(HALF_LEASE_MS)
    finish()
    await first
    const from = performance.now()
    expect(await time.until(second)).toEqual({ value: 'answer', outcome: 'collapsed' })
    expect(performance.now() - from).toBeLessThanOrEqual(500)
  })

  test('is told that hints may have been missed: it looks at once, and polls until it hears its owner again', async () => {
    const time = virtualTime()
    const { first, second, finish, looks, listeners, deafen } = await waiting(time)
    await time.pass(10_000)
    deafen()
    const before = looks()
    for (const tell of listeners) tell({ type: 'missed' })
    await time.pass(10)
    expect(looks()).toBe(before + 1)
    await time.pass(1_000)
    expect(looks()).toBeGreaterThanOrEqual(before + 3)
    finish()
    await first
    const from = performance.now()
    expect(await time.until(second)).toEqual({ value: 'answer', outcome: 'collapsed' })
    expect(performance.now() - from).toBeLessThanOrEqual(500)
  })
})

test('a waiter whose owner is lost takes over as soon as it did before: when the lease is over, and a poll later at most', async () => {
  const time = virtualTime()
  const shared = memoryStore()
  const line = testStore(shared)
  const [owner, waiter] = [createIdem({ store: line, tuning }), createIdem({ store: shared, tuning })]
  void owner.run('key', () => new Promise(() => {}))
  const second = waiter.run('key', () => 'taken over')
  await time.pass(20_000)
  line.fault = () => 'refuse'
  const from = performance.now()
  expect(await time.until(second)).toBe('taken over')
  expect(performance.now() - from).toBeLessThanOrEqual(2 * HALF_LEASE_MS + 500)
})
