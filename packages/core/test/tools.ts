import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'
import { onTestFinished, vi } from 'vitest'
import { memoryStore, StoreError } from '../src/index.js'
import type { Store } from '../src/store.js'

/** A promise that the test settles. */
export function deferred<T = void>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((res, rej) => {
    resolve = res
    reject = rej
  })
  return { promise, resolve, reject }
}

/** Work that begins, and ends when the test says so. */
export function controlled<T>(value: T) {
  const began = deferred()
  const finish = deferred()
  const work = vi.fn(async () => {
    began.resolve()
    await finish.promise
    return value
  })
  return { work, began: began.promise, finish: finish.resolve }
}

const COMMANDS = [
  'acquire',
  'renew',
  'complete',
  'release',
  'leaveNote',
  'readNote',
  'read',
  'append',
  'tail',
] as const
type Command = (typeof COMMANDS)[number]

/** What goes wrong: before the command has run (where the server forbids it, by its name), after it (the reply is lost), for ever, or with a bug. */
export type Fault = 'refuse' | 'forbid' | 'lose reply' | 'hang' | 'bug'

export interface TestStore extends Store {
  /** Every command sent so far, by name. */
  readonly sent: Command[]
  /** Decides about each command; undefined lets it through. */
  fault: (command: Command) => Fault | undefined
  /** How long each reply is under way. */
  lag: () => Promise<void>
  /** Resolves when a command with this name has been answered for the nth time from now on. */
  answered(command: Command, times?: number): Promise<void>
}

/** A store, the memory store by default, that counts its commands and fails as it is told. */
export function testStore(inner: Store = memoryStore()): TestStore {
  const sent: Command[] = []
  const listeners = new Set<(command: Command) => void>()
  const store = {
    ...bind(inner),
    sent,
    fault: () => undefined,
    lag: async () => {},
    answered(command: Command, times = 1) {
      return new Promise<void>((resolve) => {
        let left = times
        const hear = (one: Command) => {
          if (one !== command || --left > 0) return
          listeners.delete(hear)
          resolve()
        }
        listeners.add(hear)
      })
    },
  } as TestStore
  for (const command of COMMANDS) {
    const real = (inner[command] as (...args: unknown[]) => Promise<unknown>).bind(inner)
    Object.assign(store, {
      [command]: async (...args: unknown[]) => {
        sent.push(command)
        const fault = store.fault(command)
        if (fault === 'hang') return new Promise(() => {})
        if (fault === 'bug') throw new TypeError('a bug in the store')
        if (fault === 'forbid')
          throw new StoreError(`${command} is forbidden`, { effect: 'none', refused: command })
        if (fault === 'refuse') throw new StoreError('refused', { effect: 'none' })
        const answer = await real(...args)
        await store.lag()
        for (const hear of listeners) hear(command)
        if (fault === 'lose reply') throw new StoreError('reply lost', { effect: 'unknown' })
        return answer
      },
    })
  }
  return store
}

function bind(store: Store): Store {
  const names = [...COMMANDS, 'forget', 'report', 'reports', 'watch', 'ready', 'close'] as const
  const methods = names.map((name) => [name, store[name]?.bind(store)])
  return { specVersion: store.specVersion, ...Object.fromEntries(methods) } as Store
}

/** A store handle on the same data whose hints never arrive. */
export function deaf(store: Store): Store {
  return { ...bind(store), watch: undefined } as unknown as Store
}

/**
 * From here to the end of the test, time passes only when the test says so, so that its assertions hold on the slowest
 * machine. Input and output, and `setImmediate`, are as ever.
 */
export function virtualTime() {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
  })
  // Vitest does not replace these.
  const delay = vi.spyOn(timers, 'setTimeout').mockImplementation(
    (ms, value, { signal } = {}) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted()
        const timer = setTimeout(() => resolve(value as never), ms)
        signal?.addEventListener('abort', () => {
          clearTimeout(timer)
          reject(signal.reason)
        })
      }),
  )
  syncBuiltinESMExports()
  onTestFinished(() => {
    vi.useRealTimers()
    delay.mockRestore()
    syncBuiltinESMExports()
  })
  /** Lets this many ms pass. What they start happens at its own time, exact to 1 ms. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left--) {
      await vi.advanceTimersByTimeAsync(1)
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    }
  }
  return {
    pass,
    /** Lets time pass until this is settled. */
    async until<T>(promise: Promise<T>): Promise<T> {
      let isSettled = false
      const settled = promise.finally(() => {
        isSettled = true
      })
      settled.catch(() => {})
      while (!isSettled) await pass(1)
      return settled
    },
  }
}
