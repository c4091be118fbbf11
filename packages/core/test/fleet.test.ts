import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createIdem, type Idem, memoryStore } from '../src/index.js'
import type { Store } from '../src/store.js'
import { deferred, testStore } from './tools.js'

let store: Store
let reports: ReturnType<typeof vi.spyOn>
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: new Date('2026-11-24T12:00:00Z') })
  store = memoryStore()
  reports = vi.spyOn(store as Required<Store>, 'report')
})
afterEach(() => vi.useRealTimers())

/** `calls` of one key: one executed, the others replayed. */
async function call(idem: Idem, key: string, calls: number): Promise<void> {
  for (let each = 0; each < calls; each++) await idem.run(key, () => 1)
}

describe('the numbers of a fleet', () => {
  test('are those of all idems that share the store', async () => {
    const [one, other] = [createIdem({ store }), createIdem({ store })]
    await call(one, 'a', 3)
    await call(other, 'a', 2)
    await call(other, 'b', 1)
    await other.fleetStats()
    expect(await one.fleetStats()).toMatchObject({
      requests: 6,
      executed: 2,
      replayed: 4,
      hitRate: 4 / 6,
      saved: { calls: 4 },
      reports: 2,
      from: '2026-11-24',
      to: '2026-11-24',
    })
    expect(one.stats()).toMatchObject({ requests: 3 })
  })

  test('are written a second after the first call, all at once, and not again until there is more', async () => {
    const idem = createIdem({ store })
    await call(idem, 'a', 50)
    await vi.advanceTimersByTimeAsync(999)
    expect(reports).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(reports).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(reports).toHaveBeenCalledTimes(1)
    await call(idem, 'a', 50)
    await vi.advanceTimersByTimeAsync(1_000)
    await idem.fleetStats()
    await idem.close()
    expect(reports).toHaveBeenCalledTimes(2)
  })

  test('count once what was written twice, and miss nothing when a write fails', async () => {
    const failing = testStore(store)
    let isLost = true
    failing.report = async (...args) => {
      await store.report!(...args)
      if (isLost) throw new Error('the reply was lost')
    }
    const idem = createIdem({ store: failing })
    await call(idem, 'a', 2)
    await vi.advanceTimersByTimeAsync(1_000)
    isLost = false
    await call(idem, 'a', 1)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(reports).toHaveBeenCalledTimes(2)
    expect(await createIdem({ store }).fleetStats()).toMatchObject({ requests: 3, executed: 1, replayed: 2 })
  })

  test('that could not be written are written when the store is back, without another call', async () => {
    const failing = testStore(store)
    failing.report = () => Promise.reject(new Error('away'))
    const idem = createIdem({ store: failing })
    await call(idem, 'a', 2)
    await vi.advanceTimersByTimeAsync(3_000)
    failing.report = store.report!.bind(store)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await createIdem({ store }).fleetStats()).toMatchObject({ requests: 2 })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(reports).toHaveBeenCalledTimes(1)
  })

  test('of a write that is late never stand over those of a newer one', async () => {
    const slow = testStore(store)
    const late = deferred<void>()
    let writes = 0
    slow.report = async (...args) => {
      writes++
      if (writes === 1) await late.promise
      await store.report!(...args)
    }
    const idem = createIdem({ store: slow })
    await call(idem, 'a', 1)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(writes).toBe(1)
    await call(idem, 'a', 1)
    const read = idem.fleetStats()
    await vi.advanceTimersByTimeAsync(0)
    late.resolve()
    expect(await read).toMatchObject({ requests: 2 })
    expect(await idem.fleetStats()).toMatchObject({ requests: 2 })
  })

  test('are written when the idem closes', async () => {
    const idem = createIdem({
      store: { ...testStore(store), report: store.report!.bind(store), close: async () => {} },
    })
    await call(idem, 'a', 2)
    await idem.close()
    expect(await createIdem({ store }).fleetStats()).toMatchObject({ requests: 2 })
  })

  test('that could not be written are written at the latest when the idem closes', async () => {
    const failing = { ...testStore(store), close: async () => {} }
    failing.report = () => Promise.reject(new Error('away'))
    const idem = createIdem({ store: failing })
    await call(idem, 'a', 2)
    await vi.advanceTimersByTimeAsync(1_000)
    failing.report = store.report!.bind(store)
    await idem.close()
    expect(await createIdem({ store }).fleetStats()).toMatchObject({ requests: 2 })
  })

  test('are of a day each (UTC), and of as many days as are asked for', async () => {
    const idem = createIdem({ store })
    await call(idem, 'a', 1)
    await vi.advanceTimersByTimeAsync(1_000)
    vi.setSystemTime(new Date('2026-11-25T00:00:01Z'))
    await call(idem, 'a', 2)
    expect(await idem.fleetStats()).toMatchObject({ requests: 2, from: '2026-11-25', to: '2026-11-25' })
    const both = await idem.fleetStats({ days: 2 })
    expect(both).toMatchObject({ requests: 3, from: '2026-11-24', to: '2026-11-25', reports: 2 })
    expect(await idem.fleetStats({ days: 32 })).toMatchObject({ requests: 3, from: '2026-10-25' })
  })

  test('that were not written before midnight are written to the day they are of', async () => {
    vi.setSystemTime(new Date('2026-11-24T23:59:59.900Z'))
    const idem = createIdem({ store })
    await call(idem, 'a', 1)
    vi.setSystemTime(new Date('2026-11-25T00:00:00.100Z'))
    await call(idem, 'b', 1)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await idem.fleetStats()).toMatchObject({ requests: 1 })
    expect(await idem.fleetStats({ days: 2 })).toMatchObject({ requests: 2 })
  })

  test('of an idem whose store keeps no reports are its own', async () => {
    const plain = { ...testStore(store), report: undefined, reports: undefined } as unknown as Store
    const idem = createIdem({ store: plain })
    await call(idem, 'a', 2)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(reports).not.toHaveBeenCalled()
    expect(await idem.fleetStats()).toMatchObject({ requests: 2, replayed: 1, reports: 1 })
  })

  test('survive a report that nobody can read', async () => {
    await store.report!('stats-2026-11-24', 'other', Buffer.from('not JSON'), 60_000)
    await store.report!('stats-2026-11-24', 'newer', Buffer.from('{"executed":"many","replayed":5}'), 60_000)
    const idem = createIdem({ store })
    await call(idem, 'a', 1)
    expect(await idem.fleetStats()).toMatchObject({ executed: 1, replayed: 5, requests: 6, reports: 3 })
  })

  test('cannot be had without the store', async () => {
    const failing = testStore(store)
    failing.reports = () => Promise.reject(new Error('away'))
    const unavailable = expect.objectContaining({ code: 'IDEM_STORE_UNAVAILABLE' })
    await expect(createIdem({ store: failing }).fleetStats()).rejects.toThrow(unavailable)
  })

  test.each([0, -1, 1.5, 33, Number.NaN, '1'])('of %j days are refused', async (days) => {
    const invalid = expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' })
    await expect(createIdem({ store }).fleetStats({ days: days as number })).rejects.toThrow(invalid)
  })
})
