import { getEventListeners } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { createIdem, memoryStore } from '../src/index.js'
import { payloadDigest, storeKey } from '../src/key/key.js'
import { newOwner } from '../src/store/owner.js'
import { controlled, deferred, testStore } from './tools.js'

describe('a caller that leaves', () => {
  test("gets its signal's reason at once; the others get the answer", async () => {
    const idem = createIdem()
    const { work, began, finish } = controlled('answer')
    const leaver = new AbortController()
    const reason = new Error('tab closed')
    const first = idem.run('key', work, { signal: leaver.signal })
    const second = idem.run('key', work)
    await began
    leaver.abort(reason)
    await expect(first).rejects.toBe(reason)
    finish()
    expect(await second).toBe('answer')
    expect(work).toHaveBeenCalledTimes(1)
  })

  test('as the last one leaves the call running, and its answer for the retry', async () => {
    const store = testStore()
    const idem = createIdem({ store })
    const { work, began, finish } = controlled('answer')
    const stored = store.answered('complete')
    const leaver = new AbortController()
    const first = idem.run('key', work, { signal: leaver.signal })
    await began
    leaver.abort()
    await expect(first).rejects.toThrow()
    const retry = idem.runWithOutcome('key', work)
    finish()
    expect(await retry).toEqual({ value: 'answer', outcome: 'collapsed' })
    await stored
    expect(await idem.runWithOutcome('key', work)).toEqual({ value: 'answer', outcome: 'replayed' })
    expect(work).toHaveBeenCalledTimes(1)
  })

  test('as the last one to wait for another process ends the wait: no more looks, no watch', async () => {
    const store = testStore()
    const stopped = deferred()
    const watch = store.watch!.bind(store)
    store.watch = (...args) => {
      const watching = watch(...args)
      return {
        ...watching,
        stop() {
          watching.stop()
          stopped.resolve()
        },
      }
    }
    const claim = { owner: newOwner(), fingerprint: payloadDigest(null) }
    await store.acquire(storeKey('run', 'default', 'key'), claim, 60_000)
    const idem = createIdem({ store })
    const leaver = new AbortController()
    const sawLock = store.answered('acquire', 2)
    const run = idem.run('key', () => 1, { signal: leaver.signal })
    await sawLock
    leaver.abort()
    await expect(run).rejects.toThrow()
    await stopped.promise
    await idem.close()
  })

  test('before the call has begun leaves nothing behind: no call, and no lock', async () => {
    const store = testStore()
    const idem = createIdem({ store })
    const work = vi.fn()
    const leaver = new AbortController()
    const released = store.answered('release')
    const run = idem.run('key', work, { signal: leaver.signal })
    leaver.abort()
    await expect(run).rejects.toThrow()
    await released
    expect(work).not.toHaveBeenCalled()
    expect(await idem.run('key', () => 'next')).toBe('next')
  })

  test('before it came asks nothing of anybody', async () => {
    const store = testStore()
    const work = vi.fn()
    const run = createIdem({ store }).run('key', work, { signal: AbortSignal.abort(new Error('gone')) })
    await expect(run).rejects.toThrow('gone')
    expect(store.sent).toEqual([])
    expect(work).not.toHaveBeenCalled()
  })

  test('may share its signal with many others: no warning, no listener left', async () => {
    const warned = vi.fn()
    process.on('warning', warned)
    const idem = createIdem()
    const { signal } = new AbortController()
    await Promise.all(
      Array.from({ length: 50 }, (_, call) => idem.run(`key ${call}`, () => call, { signal })),
    )
    await new Promise(setImmediate)
    process.off('warning', warned)
    expect(warned).not.toHaveBeenCalled()
  })

  test('shares one listener on its signal with all that wait on it, and the abort ends them all', async () => {
    const idem = createIdem()
    const aborter = new AbortController()
    const { signal } = aborter
    const { work, began, finish } = controlled('made')
    const stays = idem.run('key', work)
    const others = Array.from({ length: 100 }, () => idem.run('key', work, { signal }))
    await began
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    aborter.abort(new Error('left'))
    const ends = await Promise.allSettled(others)
    expect(new Set(ends.map((end) => end.status === 'rejected' && end.reason.message))).toEqual(
      new Set(['left']),
    )
    finish()
    expect(await stays).toBe('made')
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('leaves no listener on its signal', async () => {
    const { signal } = new AbortController()
    const added = vi.spyOn(signal, 'addEventListener')
    const removed = vi.spyOn(signal, 'removeEventListener')
    const idem = createIdem()
    await idem.run('key', () => 1, { signal })
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length)
    expect(added).toHaveBeenCalled()
  })
})

test('work that asks for its own key is told that it would wait for itself', async () => {
  const idem = createIdem()
  const inner = idem.run('key', () => idem.run('key', () => 1))
  await expect(inner).rejects.toMatchObject({ code: 'IDEM_INVALID_ARGUMENT' })
  expect(await idem.run('outer', () => idem.run('inner', () => 1))).toBe(1)
})

describe('close', () => {
  test('waits for what is running, callers or not, then lets go of the store; new calls are refused', async () => {
    const store = testStore()
    const closed = vi.spyOn(store, 'close')
    const idem = createIdem({ store })
    const { work, began, finish } = controlled(1)
    const leaver = new AbortController()
    const first = idem.run('key', work, { signal: leaver.signal })
    await began
    leaver.abort()
    await expect(first).rejects.toThrow()
    const closing = idem.close()
    await expect(idem.run('other', work)).rejects.toMatchObject({ code: 'IDEM_CLOSED' })
    expect(closed).not.toHaveBeenCalled()
    finish()
    await closing
    expect(store.sent).toContain('complete')
    expect(closed).toHaveBeenCalledTimes(1)
    await idem.close()
    expect(closed).toHaveBeenCalledTimes(1)
  })
})

describe('stats', () => {
  test('count each call by what happened to it', async () => {
    const store = memoryStore()
    const idem = createIdem({ store })
    const { work, finish } = controlled(1)
    const together = [idem.run('key', work), idem.run('key', work), idem.run('key', work)]
    finish()
    await Promise.all(together)
    await idem.run('key', work)
    const { saved, ...counts } = idem.stats()
    expect(counts).toEqual({
      requests: 4,
      hits: 3,
      hitRate: 0.75,
      executed: 1,
      collapsed: 2,
      replayed: 1,
      bypassed: 0,
      failedOpen: 0,
      superseded: 0,
      diverged: 0,
      cancelled: 0,
    })
    const calls = { all: saved.calls, replayed: saved.replayed.calls, collapsed: saved.collapsed.calls }
    expect(calls).toEqual({ all: 3, replayed: 1, collapsed: 2 })
    expect(saved).toMatchObject({ tokens: 0, dollars: 0 })
  })
})
