import { vi } from 'vitest'
import { memoryStore, type Store, StoreError } from '../src/index.js'

/** A promise to be settled by the test. */
export function deferred<T = void>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((res, rej) => {
    resolve = res
    reject = rej
  })
  return { promise, resolve, reject }
}

/** Work that has begun and ends when the test says so. */
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
  'end',
  'ending',
  'read',
  'append',
  'tail',
] as const
type Command = (typeof COMMANDS)[number]

/** What goes wrong: before the command has run, after it (the reply is lost), for ever, or with a bug. */
export type Fault = 'refuse' | 'lose reply' | 'hang' | 'bug'

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
  const names = [...COMMANDS, 'replace', 'forget', 'report', 'reports', 'watch', 'ready', 'close'] as const
  return Object.fromEntries(names.map((name) => [name, store[name]?.bind(store)])) as unknown as Store
}

/** A store handle on the same data whose hints never arrive. */
export function deaf(store: Store): Store {
  return { ...bind(store), watch: undefined } as unknown as Store
}
