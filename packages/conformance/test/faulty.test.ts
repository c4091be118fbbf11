import { expect, test } from 'vitest'
import { type FaultPlan, type FaultyCommand, faulty } from '../src/index.js'
import { PlainStore } from './broken/plain-store.js'

const claim = { owner: 'owner', fingerprint: 'fingerprint' }

function planned(plan: FaultPlan) {
  const store = new PlainStore()
  return { store, faulted: faulty(store, plan) }
}

test('without a plan for a command, it goes through', async () => {
  const { faulted } = planned({})
  expect(await faulted.acquire('key', claim, 1000)).toEqual({ state: 'acquired' })
  expect(await faulted.read('key')).toEqual({ state: 'locked', ...claim })
  expect(await faulted.append?.('key', 'owner', 0, new Uint8Array(3), 1000)).toBe(3)
  await faulted.report?.('board', 'name', new Uint8Array(3), 1000)
  expect(await faulted.reports?.('board')).toEqual([new Uint8Array(3)])
})

test('a refused command does nothing, and says so', async () => {
  const { store, faulted } = planned({ command: () => ({ fault: 'refused' }) })
  const refused = { code: 'IDEM_STORE_ERROR', effect: 'none' }
  await expect(faulted.acquire('key', claim, 1000)).rejects.toMatchObject(refused)
  expect(await store.read('key')).toEqual({ state: 'absent' })
})

test('a command whose reply is lost is done, and nobody is told', async () => {
  const { store, faulted } = planned({ command: () => ({ fault: 'reply lost' }) })
  const lost = { code: 'IDEM_STORE_ERROR', effect: 'unknown' }
  await expect(faulted.acquire('key', claim, 1000)).rejects.toMatchObject(lost)
  expect(await store.read('key')).toEqual({ state: 'locked', ...claim })
})

test('a late command reaches the store late, a late reply does not', async () => {
  const { store, faulted } = planned({
    command: ({ key }) => ({ fault: key === 'late' ? 'late' : 'reply late', ms: 50 }),
  })
  const asked = [faulted.acquire('late', claim, 1000), faulted.acquire('reply late', claim, 1000)]
  expect((await store.read('late')).state).toBe('absent')
  expect((await store.read('reply late')).state).toBe('locked')
  expect(await Promise.all(asked)).toEqual([{ state: 'acquired' }, { state: 'acquired' }])
  expect((await store.read('late')).state).toBe('locked')
})

test('the plan is told the method, the key, and how many came before', async () => {
  const told: FaultyCommand[] = []
  const { faulted } = planned({ command: (command) => void told.push(command) })
  await faulted.read('one')
  await faulted.read('one')
  await faulted.read('other')
  await faulted.forget('one')
  expect(told).toEqual([
    { method: 'read', key: 'one', before: 0 },
    { method: 'read', key: 'one', before: 1 },
    { method: 'read', key: 'other', before: 0 },
    { method: 'forget', key: 'one', before: 0 },
  ])
})

test('hints are heard as often as the plan says', async () => {
  const { store, faulted } = planned({ hint: (_, key) => (key === 'lost' ? 0 : 2) })
  const heard: string[] = []
  for (const key of ['lost', 'doubled']) {
    faulted.watch?.(key, () => heard.push(key))
    await store.complete(key, claim, new Uint8Array(), 1000)
  }
  await new Promise<void>((resolve) => setImmediate(resolve))
  expect(heard).toEqual(['doubled', 'doubled'])
})

test('what the store lacks, the faulty one lacks', () => {
  const store = Object.assign(new PlainStore(), {
    watch: undefined,
    append: undefined,
    tail: undefined,
    report: undefined,
    reports: undefined,
  })
  const faulted = faulty(store as never, {})
  expect(faulted).not.toHaveProperty('watch')
  expect(faulted).not.toHaveProperty('append')
  expect(faulted).not.toHaveProperty('tail')
  expect(faulted).not.toHaveProperty('report')
  expect(faulted).not.toHaveProperty('reports')
  expect(faulted).not.toHaveProperty('domain')
})
