import { expect, test } from 'vitest'
import { memoryStore } from '../src/index.js'

const claim = { owner: 'o', fingerprint: 'f' }

test('the memory store keeps within its bytes; the least recently used record goes first', async () => {
  const store = memoryStore({ maxBytes: 10_000 })
  const record = new Uint8Array(2_000)
  for (const key of ['a', 'b', 'c']) await store.complete(key, claim, record, 60_000)
  await store.read('a')
  for (const key of ['d', 'e']) await store.complete(key, claim, record, 60_000)
  const states = await Promise.all(['a', 'b', 'd', 'e'].map(async (key) => (await store.read(key)).state))
  expect(states).toEqual(['completed', 'absent', 'completed', 'completed'])
})

test('a record larger than the memory store is refused, not said to be stored', async () => {
  const store = memoryStore({ maxBytes: 1_000 })
  expect(await store.complete('a', claim, new Uint8Array(2_000), 60_000)).toEqual({ state: 'refused' })
})

test('no amount of records evicts a lock', async () => {
  const store = memoryStore({ maxBytes: 5_000 })
  await store.acquire('locked', claim, 60_000)
  for (let index = 0; index < 100; index++)
    await store.complete(`k${index}`, claim, new Uint8Array(100), 60_000)
  expect((await store.read('locked')).state).toBe('locked')
})

test.each([[{ maxBytes: 0 }], [{ maxBytes: 1.5 }], [{ maxByte: 1 } as object]])('refuses %j', (options) => {
  expect(() => memoryStore(options)).toThrow(expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' }))
})
