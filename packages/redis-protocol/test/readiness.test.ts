import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import { readiness, triesOf } from '../src/index.js'

/** A client in the hands of the test. */
function clientIn(state: 'ready' | 'connecting' | 'lost' | 'closed', lastError?: unknown) {
  const events = new EventEmitter()
  const client = {
    state: () => current,
    lastError: () => lastError,
    onChange(listener: () => void) {
      events.on('change', listener)
      return () => void events.off('change', listener)
    },
  }
  let current = state
  return {
    ready: readiness(client),
    become(next: typeof state) {
      current = next
      events.emit('change')
    },
    listeners: () => events.listenerCount('change'),
  }
}

describe('readiness', () => {
  test('waits while the client connects, with one listener for all, and leaves none behind', async () => {
    const { ready, become, listeners } = clientIn('connecting')
    const all = Promise.all([ready(), ready(), ready()])
    expect(listeners()).toBe(1)
    become('connecting')
    become('ready')
    await all
    expect(listeners()).toBe(0)
  })

  test.each([
    ['lost', 'not connected: connect ECONNREFUSED', undefined],
    ['closed', 'closed: connect ECONNREFUSED', 'closed'],
  ] as const)(
    'rejects at once where the client is %s, with its own last error',
    async (state, says, refused) => {
      const own = Object.assign(new Error('connect ECONNREFUSED'), { command: { args: ['secret'] } })
      const error = await clientIn(state, own)
        .ready()!
        .catch((error) => error)
      expect(error).toMatchObject({ code: 'IDEM_STORE_ERROR', effect: 'none', refused })
      expect(error.message).toContain(says)
      expect(error.cause.message).toBe('connect ECONNREFUSED')
      expect(error.cause.command).toBeUndefined()
    },
  )

  test('rejects those who wait when the client is lost, and says so without an error of its own, too', async () => {
    const { ready, become } = clientIn('connecting')
    const waiting = ready()
    become('lost')
    await expect(waiting).rejects.toMatchObject({ message: 'The Redis client is not connected.' })
  })
})

describe('tries to connect', () => {
  test('have not failed when a connection is lost, only when it could not be opened again', () => {
    const tries = triesOf({}, true, () => {})
    tries.ended()
    expect(tries.haveFailed).toBe(false)
    tries.ended()
    expect(tries.haveFailed).toBe(true)
    tries.succeeded()
    expect(tries.haveFailed).toBe(false)
    tries.ended()
    expect(tries.haveFailed).toBe(false)
  })

  test('have failed when the first one did', () => {
    const tries = triesOf({}, false, () => {})
    expect(tries.haveFailed).toBe(false)
    tries.ended()
    expect(tries.haveFailed).toBe(true)
  })

  test('keep the last error until one succeeds', () => {
    const tries = triesOf({}, false, () => {})
    tries.erred('first')
    tries.erred('second')
    expect(tries.lastError).toBe('second')
    tries.succeeded()
    expect(tries.lastError).toBeUndefined()
  })

  test('are counted once for each client, with one set of listeners', () => {
    const [client, other] = [{}, {}]
    let listening = 0
    const of = (one: object) => triesOf(one, true, () => listening++)
    expect(of(client)).toBe(of(client))
    expect(of(other)).not.toBe(of(client))
    expect(listening).toBe(2)
  })
})
