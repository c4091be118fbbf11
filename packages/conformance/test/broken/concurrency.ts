import { setTimeout as sleep } from 'node:timers/promises'
import type { AcquireOptions, Claim, Completed, Found, Hint, Watch } from '@idem/core/store'
import { type Broken, because } from './broken.js'
import { type Listener, PlainStore, Shared } from './plain-store.js'
import { type Process, tunnelled } from './tunnel.js'

/** What the handles of one process share beside the data: at most one command a key passes at a time. */
export class Gate {
  readonly #last = new Map<string, Promise<unknown>>()
  pass<T>(key: string, work: () => Promise<T>): Promise<T> {
    const passed = (this.#last.get(key) ?? Promise.resolve()).then(work)
    this.#last.set(
      key,
      passed.catch(() => {}),
    )
    return passed
  }
}

/** Long enough for a command of another process to come in between. */
export const MOMENT_MS = 60

/** A store whose handles know their process. */
export class OfProcess extends PlainStore {
  protected readonly process: Process
  protected readonly gate: Gate
  constructor(shared: Shared, process: Process, gate: Gate) {
    super(shared)
    this.process = process
    this.gate = gate
  }
}

class GateOfTheProcess extends OfProcess {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    if (this.shared.entries.has(key)) return super.acquire(key, claim, leaseMs, options)
    return this.gate.pass(key, async () => {
      if (this.shared.entries.has(key)) return super.acquire(key, claim, leaseMs, options)
      await sleep(MOMENT_MS)
      this.lock(key, claim, leaseMs)
      return { state: 'acquired' }
    })
  }
}

class GatedTakeover extends OfProcess {
  override async acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options?: AcquireOptions,
  ): Promise<Found> {
    const lapsed = () => !this.at(key) && this.shared.entries.get(key)?.kind === 'lock'
    if (!lapsed()) return super.acquire(key, claim, leaseMs, options)
    return this.gate.pass(key, async () => {
      if (!lapsed()) return super.acquire(key, claim, leaseMs, options)
      await sleep(MOMENT_MS)
      this.lock(key, claim, leaseMs)
      return { state: 'acquired' }
    })
  }
}

class GatedCompletion extends OfProcess {
  override async once(key: string, claim: Claim, bytes: Uint8Array, ttlMs: number): Promise<Completed> {
    if (this.at(key)) return super.once(key, claim, bytes, ttlMs)
    return this.gate.pass(key, async () => {
      if (this.at(key)) return super.once(key, claim, bytes, ttlMs)
      await sleep(MOMENT_MS)
      this.write(key, claim, bytes, ttlMs)
      return { state: 'stored' }
    })
  }
}

class GatedAppend extends OfProcess {
  override async append(key: string, owner: string, offset: number, bytes: Uint8Array, ms: number) {
    const length = () => this.log(key, owner)?.byteLength ?? 0
    if (length() !== offset) return super.append(key, owner, offset, bytes, ms)
    return this.gate.pass(key, async () => {
      if (length() !== offset) return super.append(key, owner, offset, bytes, ms)
      await sleep(MOMENT_MS)
      this.extend(key, owner, Buffer.concat([this.log(key, owner) ?? new Uint8Array(), bytes]), ms)
      this.hint(key, { type: 'live', owner, offset, bytes })
      return length()
    })
  }
}

/** The lease is a timer of the process that has the lock. */
class TimerOfTheOwner extends OfProcess {
  readonly #timers = new Map<string, NodeJS.Timeout>()
  constructor(...args: ConstructorParameters<typeof OfProcess>) {
    super(...args)
    this.process.onEnd(() => {
      for (const timer of this.#timers.values()) clearTimeout(timer)
    })
  }
  protected override lock(...args: Parameters<PlainStore['lock']>): void {
    const [key, holder, leaseMs] = args
    super.lock(key, holder, 86_400_000)
    const lock = this.shared.entries.get(key)
    clearTimeout(this.#timers.get(key))
    const lapse = () => this.shared.entries.get(key) === lock && this.shared.entries.delete(key)
    this.#timers.set(key, setTimeout(lapse, leaseMs).unref())
  }
  override async forget(key: string): Promise<boolean> {
    const there = this.at(key)
    // In place, so that it is still the lock the timer is for.
    if (there?.kind === 'lock') Object.assign(there, { void: true })
    return there?.kind === 'lock' || super.forget(key)
  }
}

/** Everything a process writes is gone with its session. */
class OfTheSession extends OfProcess {
  protected readonly kind: 'lock' | 'record' = 'lock'
  constructor(...args: ConstructorParameters<typeof OfProcess>) {
    super(...args)
    const written = this.#written
    this.process.onEnd(() => {
      for (const [key, there] of written) {
        if (this.shared.entries.get(key) === there) this.shared.entries.delete(key)
      }
    })
  }
  readonly #written = new Map<string, unknown>()
  protected override lock(...args: Parameters<PlainStore['lock']>): void {
    super.lock(...args)
    if (this.kind === 'lock') this.#written.set(args[0], this.shared.entries.get(args[0]))
  }
  protected override write(...args: Parameters<PlainStore['write']>): void {
    super.write(...args)
    if (this.kind === 'record') this.#written.set(args[0], this.shared.entries.get(args[0]))
  }
}

class RecordsOfTheSession extends OfTheSession {
  protected override readonly kind = 'record'
}

class ClockOfTheClient extends OfProcess {
  protected override now(): number {
    return super.now() + this.process.clockAheadMs
  }
}

class HintsAtHome extends OfProcess {
  static readonly homes = new WeakMap<Listener, Gate>()
  override watch(key: string, listener: Listener): Watch {
    const heard: Listener = (hint) => listener(hint)
    HintsAtHome.homes.set(heard, this.gate)
    return super.watch(key, heard)
  }
  protected override hint(key: string, hint: Hint): void {
    for (const listener of this.shared.listeners.get(key) ?? []) {
      if (HintsAtHome.homes.get(listener) === this.gate) queueMicrotask(() => listener(hint))
    }
  }
}

class LogsAtHome extends OfProcess {
  static readonly homes = new WeakMap<Gate, PlainStore>()
  get #home(): PlainStore {
    const home = LogsAtHome.homes.get(this.gate) ?? new PlainStore()
    LogsAtHome.homes.set(this.gate, home)
    return home
  }
  override async append(...args: Parameters<PlainStore['append']>): Promise<number> {
    const length = await this.#home.append(...args)
    const [key, owner, offset, bytes] = args
    if (length > offset) this.hint(key, { type: 'live', owner, offset, bytes: new Uint8Array(bytes) })
    return length
  }
  override tail(...args: Parameters<PlainStore['tail']>): Promise<Uint8Array | undefined> {
    return this.#home.tail(...args)
  }
}

/** Handles over the same data, each with the gate of its process. */
export function processes(Handle: new (...args: ConstructorParameters<typeof OfProcess>) => PlainStore) {
  const shared = new Shared()
  const gates = new WeakMap<Process, Gate>()
  return tunnelled((process) => {
    const gate = gates.get(process) ?? new Gate()
    gates.set(process, gate)
    return new Handle(shared, process, gate)
  })
}

/** The right one: what it passes, the others fail for their mistake. */
export const twoProcesses = processes(OfProcess)

/** Mistakes that show only where there is a second process. */
export const concurrency: Broken[] = [
  {
    breaks: 'A process has its own locks and records, which its handles share.',
    ...ownData(),
    fails: 'what one process writes another finds: lock, record, void lock and ending',
    alsoFails: because(
      'it acts in one process and looks in another',
      'a log grows in one process and is followed in another',
      'a process whose clock is an hour ahead neither takes a lock early nor keeps one too long',
      'a process whose clock is an hour ahead neither loses a board early nor keeps one too long',
      'a report is read in every process, and outlives the one that wrote it',
      'a watcher is woken by another process, whichever of them it is',
      'of appends of two processes at one offset exactly one is written',
      'of many acquires in two processes at once one gets the lock',
      'of many completions in two processes at once one is stored, and all are given it',
      'of many that take over in two processes at once one gets the lock, and the stale owner loses it',
      'of reports of three processes at once none is lost',
      'the lock of a process that is killed is held for its lease, and can be taken after it',
      'what a process that is killed has stored stays',
    ),
  },
  {
    breaks: 'An absent key is looked at and locked under a mutex of the process.',
    ...processes(GateOfTheProcess),
    fails: 'of many acquires in two processes at once one gets the lock',
    alsoFails: {},
  },
  {
    breaks: 'A completion looks and writes under a mutex of the process.',
    ...processes(GatedCompletion),
    fails: 'of many completions in two processes at once one is stored, and all are given it',
    alsoFails: {},
  },
  {
    breaks: 'A lapsed lock is taken over under a mutex of the process.',
    ...processes(GatedTakeover),
    fails: 'of many that take over in two processes at once one gets the lock, and the stale owner loses it',
    alsoFails: {},
  },
  {
    breaks: 'The lease is a timer in the process of the owner.',
    ...processes(TimerOfTheOwner),
    fails: 'the lock of a process that is killed is held for its lease, and can be taken after it',
    alsoFails: {},
  },
  {
    breaks: 'A lock goes with the session of its owner.',
    ...processes(OfTheSession),
    fails: 'the lock of a process that is killed is held for its lease, and can be taken after it',
    alsoFails: {},
  },
  {
    breaks: 'A record goes with the session of its owner.',
    ...processes(RecordsOfTheSession),
    fails: 'what a process that is killed has stored stays',
    alsoFails: {},
  },
  {
    breaks: 'When something lapses is reckoned by the clock of the client.',
    ...processes(ClockOfTheClient),
    fails: 'a process whose clock is an hour ahead neither takes a lock early nor keeps one too long',
    alsoFails: {
      'a process whose clock is an hour ahead neither loses a board early nor keeps one too long':
        'when a board is gone is reckoned so too',
    },
  },
  {
    breaks: 'Hints reach every handle of the process that caused them, and no other process.',
    ...processes(HintsAtHome),
    fails: 'a watcher is woken by another process, whichever of them it is',
    alsoFails: {},
  },
  {
    breaks: 'A log is kept in the memory of the process that writes it.',
    ...processes(LogsAtHome),
    fails: 'a log grows in one process and is followed in another',
    alsoFails: because(
      'two processes append, each to its own log',
      'of appends of two processes at one offset exactly one is written',
    ),
  },
  {
    breaks: 'An append looks and writes under a mutex of the process.',
    ...processes(GatedAppend),
    fails: 'of appends of two processes at one offset exactly one is written',
    alsoFails: {},
  },
  {
    breaks: 'A handle that is closed leaves a timer that keeps its process alive.',
    ...leaking(),
    fails: 'a process whose handle is closed ends by itself: nothing is left open',
    alsoFails: {},
  },
]

function ownData() {
  const data = new WeakMap<Process, Shared>()
  return tunnelled((process) => {
    const shared = data.get(process) ?? new Shared()
    data.set(process, shared)
    return new PlainStore(shared)
  })
}

function leaking() {
  const shared = new Shared()
  return tunnelled(() => new PlainStore(shared), { leaks: true })
}
