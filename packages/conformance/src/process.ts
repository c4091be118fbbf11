import { type ChildProcess, fork } from 'node:child_process'
import { type Hint, STORE_SPEC_VERSION, type Store, type Watch } from '@idem/core/store'
import { type Answer, CLOCK_AHEAD, fromWire, type Order } from './wire.js'

/** A module that opens a handle and serves it with `serveStore`. */
export interface ForkModule {
  readonly module: string | URL
  /** Set on top of the environment of this process: where the store is, and under which prefix. @default none */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Arguments of node, e.g. a loader. @default none, rather than those of the test runner */
  readonly execArgv?: readonly string[]
}

/** A handle of the store in another process. */
export interface StoreProcess {
  /** The store there: each method is a message and its answer. */
  readonly store: Store
  readonly pid: number
  /** Ends the process at once, as a crash does, and waits for its end. May be called twice. */
  kill(): Promise<void>
  /** Has the process close its handle and let go of the kit. Resolves when it has ended by itself. */
  leave(): Promise<void>
}

/** Starts the module in a process of its own; rejects when it does not serve a store. */
export async function forkStore(module: ForkModule, clockAheadMs: number): Promise<StoreProcess> {
  const child = fork(module.module, [], {
    serialization: 'advanced',
    env: { ...process.env, ...module.env, [CLOCK_AHEAD]: String(clockAheadMs) },
    execArgv: [...(module.execArgv ?? [])],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const line = new Line(child)
  const methods = await line.opened
  return {
    pid: child.pid!,
    store: remoteStore(line, methods),
    async kill() {
      child.kill('SIGKILL')
      await line.ended
    },
    async leave() {
      await line.ask({ idem: 'leave' })
      await line.ended
    },
  }
}

type Question<T = Order> = T extends Order ? Omit<T, 'id'> : never

type Fork = () => ForkModule | Promise<ForkModule>

interface SharedProcess {
  readonly started: Promise<StoreProcess>
  users: number
}

/** How long a shared process waits for its next test. */
const LINGER_MS = 300
const shared = new WeakMap<Fork, SharedProcess>()

/** The store in a process that all tests share which use one at the same time: starting one takes longer than a test. */
export async function shareProcess(forkModule: Fork): Promise<{ store: Store; letGo(): void }> {
  const running = shared.get(forkModule) ?? {
    started: Promise.resolve(forkModule()).then((module) => forkStore(module, 0)),
    users: 0,
  }
  shared.set(forkModule, running)
  running.users++
  const letGo = () => {
    running.users--
    setTimeout(() => {
      if (running.users > 0 || shared.get(forkModule) !== running) return
      shared.delete(forkModule)
      running.started.then(({ kill }) => kill()).catch(() => {})
    }, LINGER_MS)
  }
  try {
    return { store: (await running.started).store, letGo }
  } catch (error) {
    letGo()
    throw error
  }
}

/** Questions and answers over the channel of one child. */
class Line {
  readonly opened: Promise<readonly string[]>
  /** Resolves when the process has ended, and never rejects. */
  readonly ended: Promise<void>
  readonly #child: ChildProcess
  readonly #asked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  readonly #listeners = new Map<number, (hint: Hint) => void>()
  #count = 0

  constructor(child: ChildProcess) {
    this.#child = child
    this.ended = new Promise((resolve) => {
      // What it said last may still be on its way when it has ended.
      child.once('exit', () => (child.connected ? child.once('disconnect', resolve) : resolve()))
      child.once('error', () => resolve())
    })
    this.opened = new Promise((resolve, reject) => {
      child.once('error', reject)
      void this.ended.then(() =>
        reject(new Error('The process ended before it served a store with serveStore().')),
      )
      child.on('message', (answer: Answer) => {
        if (answer.idem === 'open') resolve(answer.methods)
        else this.#hear(answer)
      })
    })
    void this.ended.then(() => {
      for (const { reject } of this.#asked.values()) reject(new Error('The process of the store has ended.'))
      this.#asked.clear()
    })
  }

  ask(order: Question, id = ++this.#count): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      this.#child.send({ ...order, id }, (error) => error && reject(error))
    })
  }

  watch(key: string, listener: (hint: Hint) => void): Watch {
    const id = ++this.#count
    this.#listeners.set(id, listener)
    const ready = this.ask({ idem: 'watch', key }, id).then(() => {})
    ready.catch(() => {})
    return {
      ready,
      stop: () => {
        if (this.#listeners.delete(id)) this.ask({ idem: 'stop', watch: id }).catch(() => {})
      },
    }
  }

  #hear(answer: Exclude<Answer, { idem: 'open' }>): void {
    if (answer.idem === 'hint') {
      this.#listeners.get(answer.id)?.(answer.hint)
      return
    }
    const asked = this.#asked.get(answer.id)
    this.#asked.delete(answer.id)
    if (answer.idem === 'value') asked?.resolve(answer.value)
    else asked?.reject(fromWire(answer.error))
  }
}

/** Has the same methods as the store in the process. */
function remoteStore(line: Line, methods: readonly string[]): Store {
  const calls = methods
    .filter((method) => method !== 'watch')
    .map((method) => [method, (...args: unknown[]) => line.ask({ idem: 'call', method, args })] as const)
  const store = { specVersion: STORE_SPEC_VERSION, ...Object.fromEntries(calls) } as Store
  return methods.includes('watch') ? { ...store, watch: (key, listener) => line.watch(key, listener) } : store
}
