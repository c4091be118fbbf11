import { setTimeout as sleep } from 'node:timers/promises'
import type { Broken } from './broken.js'
import { because } from './broken.js'
import { type Gate, MOMENT_MS, OfProcess, processes } from './concurrency.js'
import { PlainStore } from './plain-store.js'

const READ = 'a report is read in every process, and outlives the one that wrote it'
const AT_ONCE = 'of reports of three processes at once none is lost'
const CLOCK = 'a process whose clock is an hour ahead neither loses a board early nor keeps one too long'

class BoardsAtHome extends OfProcess {
  static readonly homes = new WeakMap<Gate, PlainStore>()
  get #home(): PlainStore {
    const home = BoardsAtHome.homes.get(this.gate) ?? new PlainStore()
    BoardsAtHome.homes.set(this.gate, home)
    return home
  }
  override report(...args: Parameters<PlainStore['report']>): Promise<void> {
    return this.#home.report(...args)
  }
  override reports(board: string): Promise<Uint8Array[]> {
    return this.#home.reports(board)
  }
}

/** What a process reported is gone with its session. */
class ReportsOfTheSession extends OfProcess {
  override async report(...args: Parameters<PlainStore['report']>): Promise<void> {
    await super.report(...args)
    const [board, name] = args
    this.process.onEnd(() => {
      const reports = new Map(this.board(board))
      reports.delete(name)
      this.post(board, reports, args[3])
    })
  }
  /** However busy the machine is, an end that has come is seen before a board is read. */
  override async reports(board: string): Promise<Uint8Array[]> {
    await sleep(MOMENT_MS)
    return super.reports(board)
  }
}

class GatedReport extends OfProcess {
  override report(...args: Parameters<PlainStore['report']>): Promise<void> {
    const [board, name, bytes, ms] = args
    return this.gate.pass(board, async () => {
      const before = this.board(board)
      await sleep(MOMENT_MS / 4)
      this.post(board, new Map(before).set(name, new Uint8Array(bytes)), ms)
    })
  }
}

class BoardsByTheClient extends OfProcess {
  override report(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    return super.report(board, name, bytes, ms + this.process.clockAheadMs)
  }
  override async reports(board: string): Promise<Uint8Array[]> {
    const there = this.shared.boards.get(board)
    return there && there.expiresAt > this.now() + this.process.clockAheadMs ? super.reports(board) : []
  }
}

/** Mistakes with boards that show only where there is a second process. */
export const reportProcesses: Broken[] = [
  {
    breaks: 'A board is kept in the memory of the process that writes on it.',
    ...processes(BoardsAtHome),
    fails: READ,
    alsoFails: because('it writes in one process and reads in another', AT_ONCE, CLOCK),
  },
  {
    breaks: 'A report goes with the session of its process.',
    ...processes(ReportsOfTheSession),
    fails: READ,
    alsoFails: {},
  },
  {
    breaks: 'A report reads the board and writes it under a mutex of the process.',
    ...processes(GatedReport),
    fails: AT_ONCE,
    alsoFails: {},
  },
  {
    breaks: 'When a board is gone is reckoned by the clock of the client.',
    ...processes(BoardsByTheClient),
    fails: CLOCK,
    alsoFails: {},
  },
]
