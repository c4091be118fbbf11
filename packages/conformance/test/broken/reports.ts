import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '@idem/core/store'
import { type Broken, because, one, several } from './broken.js'
import { PlainStore } from './plain-store.js'

type Report = [board: string, name: string, bytes: Uint8Array, ms: number]
type Posted = ReadonlyMap<string, Uint8Array>

const DAY_MS = 86_400_000
const LIVES = [
  'a board lives as long as its last report said, and is gone after it',
  'each report gives the whole board another life',
  'a board that is gone begins anew, without its old reports',
] as const
const [LAST, LIFE, ANEW] = LIVES

class NoneIsUndefined extends PlainStore {
  override async reports(board: string): Promise<Uint8Array[]> {
    return this.board(board) ? super.reports(board) : (undefined as never)
  }
}

class ReportOfText extends PlainStore {
  override report(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    return super.report(board, name, Buffer.from(Buffer.from(bytes).toString('utf8')), ms)
  }
}

class EmptyReportIsNone extends PlainStore {
  override async reports(board: string): Promise<Uint8Array[]> {
    return (await super.reports(board)).filter((report) => report.byteLength > 0)
  }
}

class ReportInAColumn extends PlainStore {
  override report(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    return super.report(board, name, bytes.subarray(0, 65_535), ms)
  }
}

class ReportsAdd extends PlainStore {
  #count = 0
  override report(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    return super.report(board, `${name} ${this.#count++}`, bytes, ms)
  }
}

class FirstReportStands extends PlainStore {
  override report(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    return super.report(board, name, this.board(board)?.get(name) ?? bytes, ms)
  }
}

class BoardOfTheHandle extends PlainStore {
  readonly #home = new PlainStore()
  override report(...args: Report): Promise<void> {
    return this.#home.report(...args)
  }
  override reports(board: string): Promise<Uint8Array[]> {
    return this.#home.reports(board)
  }
}

class FirstPage extends PlainStore {
  override async reports(board: string): Promise<Uint8Array[]> {
    return (await super.reports(board)).slice(0, 100)
  }
}

class FoldsNames extends PlainStore {
  override report(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    return super.report(board, name.toLowerCase(), bytes, ms)
  }
}

class PlainObject extends PlainStore {
  protected override post(board: string, reports: Posted, ms: number): void {
    const object: Record<string, Uint8Array> = {}
    for (const [name, report] of reports) object[name] = report
    super.post(board, new Map(Object.entries(object)), ms)
  }
}

class FoldsBoards extends PlainStore {
  protected override board(board: string): Posted | undefined {
    return super.board(board.toLowerCase())
  }
  protected override post(board: string, reports: Posted, ms: number): void {
    super.post(board.toLowerCase(), reports, ms)
  }
}

class ReportUnderTheKey extends PlainStore {
  override report(...args: Report): Promise<void> {
    const [board, name, bytes, ms] = args
    this.write(board, { owner: name, fingerprint: name }, bytes, ms)
    return super.report(...args)
  }
}

class ReportIsAnEnding extends PlainStore {
  override async report(...args: Report): Promise<void> {
    const [board, name, bytes, ms] = args
    await this.leaveNote(board, name, bytes, ms)
    return super.report(...args)
  }
}

class ReportIsALog extends PlainStore {
  override report(...args: Report): Promise<void> {
    const [board, name, bytes, ms] = args
    this.extend(board, name, bytes, ms)
    return super.report(...args)
  }
}

class ForgetsTheBoard extends PlainStore {
  override forget(key: string): Promise<boolean> {
    this.shared.boards.delete(key)
    return super.forget(key)
  }
}

class BoardForGood extends PlainStore {
  protected override post(board: string, reports: Posted): void {
    super.post(board, reports, DAY_MS)
  }
}

class BoardInSeconds extends PlainStore {
  protected override post(board: string, reports: Posted, ms: number): void {
    super.post(board, reports, Math.floor(ms / 1000) * 1000)
  }
}

class LongestLife extends PlainStore {
  protected override post(board: string, reports: Posted, ms: number): void {
    const left = this.board(board) ? this.shared.boards.get(board)!.expiresAt - this.now() : 0
    super.post(board, reports, Math.max(left, ms))
  }
}

class FirstLife extends PlainStore {
  protected override post(board: string, reports: Posted, ms: number): void {
    const left = this.board(board) && this.shared.boards.get(board)!.expiresAt - this.now()
    super.post(board, reports, left ?? ms)
  }
}

class LifeOfEach extends PlainStore {
  readonly #ends = new Map<Uint8Array, number>()
  override async report(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    const kept = new Uint8Array(bytes)
    this.#ends.set(kept, this.now() + ms)
    this.post(board, new Map(this.board(board)).set(name, kept), DAY_MS)
  }
  protected override board(board: string): Posted | undefined {
    const reports = [...(super.board(board) ?? [])]
    return new Map(reports.filter(([, report]) => this.#ends.get(report)! > this.now()))
  }
}

class ReadingKeepsAlive extends PlainStore {
  override reports(board: string): Promise<Uint8Array[]> {
    const reports = this.board(board)
    if (reports) this.post(board, reports, DAY_MS)
    return super.reports(board)
  }
}

class OldReportsComeBack extends PlainStore {
  override async report(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    const old = this.shared.boards.get(board)?.reports
    this.post(board, new Map(old).set(name, new Uint8Array(bytes)), ms)
  }
}

class KeepsCallersBuffer extends PlainStore {
  override async report(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    this.post(board, new Map(this.board(board)).set(name, bytes), ms)
  }
}

class GivesItsOwnReports extends PlainStore {
  override async reports(board: string): Promise<Uint8Array[]> {
    return [...(this.board(board)?.values() ?? [])]
  }
}

class ReportsWholeBuffer extends PlainStore {
  override report(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    return super.report(board, name, Buffer.isBuffer(bytes) ? bytes : new Uint8Array(bytes.buffer), ms)
  }
}

class LooksThenReports extends PlainStore {
  override async report(board: string, name: string, bytes: Uint8Array, ms: number): Promise<void> {
    const before = this.board(board)
    const kept = new Uint8Array(bytes)
    await sleep(1)
    this.post(board, new Map(before).set(name, kept), ms)
  }
}

function without(name: 'report' | 'reports'): Store {
  return Object.assign(new PlainStore(), { [name]: undefined })
}

export const reports: Broken[] = [
  {
    breaks: 'It takes reports that nobody can read: there is no reports().',
    open: one(without('reports')),
    fails: 'a store with report() has reports() too',
    alsoFails: because(
      'it reads a board',
      ...LIVES,
      'a board may have any name that a key may have, and is apart from every other',
      'a report may have any name that a key may have, and all of it counts',
      'a report of 64 KiB comes back whole',
      'a report of no bytes is a report',
      'a report written again under its name stands once, with the newer bytes',
      'a view of a larger buffer is reported as what it shows',
      'every byte value comes back from a report',
      'nothing that happens to a key touches the board of its name',
      'of many reports at once none is lost',
      'reports of many names are all there, whichever handle wrote them',
      'what caller and reader do to their buffers changes no report',
      'where there is no board there are no reports',
    ),
  },
  {
    breaks: 'It has reports() but no report().',
    open: one(without('report')),
    fails: 'a store without report() has no reports() either',
    alsoFails: {},
  },
  {
    breaks: 'Of a board that never was it gives undefined.',
    open: one(new NoneIsUndefined()),
    fails: 'where there is no board there are no reports',
    alsoFails: because('it waits for a board to be gone', ...LIVES),
  },
  {
    breaks: 'A report is kept as text.',
    open: one(new ReportOfText()),
    fails: 'every byte value comes back from a report',
    alsoFails: {},
  },
  {
    breaks: 'A report of no bytes is taken for none.',
    open: one(new EmptyReportIsNone()),
    fails: 'a report of no bytes is a report',
    alsoFails: because(
      'it ends in a report of no bytes',
      'a report written again under its name stands once, with the newer bytes',
    ),
  },
  {
    breaks: 'A report is cut to what a column of text holds.',
    open: one(new ReportInAColumn()),
    fails: 'a report of 64 KiB comes back whole',
    alsoFails: {},
  },
  {
    breaks: 'A board is a list: what is written again is there twice.',
    open: one(new ReportsAdd()),
    fails: 'a report written again under its name stands once, with the newer bytes',
    alsoFails: {},
  },
  {
    breaks: 'The first report of a name stands.',
    open: one(new FirstReportStands()),
    fails: 'a report written again under its name stands once, with the newer bytes',
    alsoFails: {},
  },
  {
    breaks: 'A board stays in the handle that writes on it.',
    open: several(BoardOfTheHandle),
    fails: 'reports of many names are all there, whichever handle wrote them',
    alsoFails: because(
      'two handles write on one board',
      'a report written again under its name stands once, with the newer bytes',
      'of many reports at once none is lost',
    ),
  },
  {
    breaks: 'Of a board its first page is given, a hundred reports.',
    open: one(new FirstPage()),
    fails: 'reports of many names are all there, whichever handle wrote them',
    alsoFails: {},
  },
  {
    breaks: 'The case of a report’s name does not count.',
    open: one(new FoldsNames()),
    fails: 'a report may have any name that a key may have, and all of it counts',
    alsoFails: {},
  },
  {
    breaks: 'A board is a plain object: a report named `__proto__` is none.',
    open: one(new PlainObject()),
    fails: 'a report may have any name that a key may have, and all of it counts',
    alsoFails: {},
  },
  {
    breaks: 'The case of a board’s name does not count.',
    open: one(new FoldsBoards()),
    fails: 'a board may have any name that a key may have, and is apart from every other',
    alsoFails: {},
  },
  {
    breaks: 'A report is also the record of the key that is named as the board.',
    open: one(new ReportUnderTheKey()),
    fails: 'a report leaves the key of its board’s name alone: lock, record, ending and log',
    alsoFails: because(
      'it takes the lock of a key whose board has a report',
      'nothing that happens to a key touches the board of its name',
    ),
  },
  {
    breaks: 'A report is also an ending, of an owner with its name.',
    open: one(new ReportIsAnEnding()),
    fails: 'a report leaves the key of its board’s name alone: lock, record, ending and log',
    alsoFails: {},
  },
  {
    breaks: 'A report is also a live log, of an owner with its name.',
    open: one(new ReportIsALog()),
    fails: 'a report leaves the key of its board’s name alone: lock, record, ending and log',
    alsoFails: {},
  },
  {
    breaks: 'A key that is forgotten takes everything of its name with it.',
    open: one(new ForgetsTheBoard()),
    fails: 'nothing that happens to a key touches the board of its name',
    alsoFails: {},
  },
  {
    breaks: 'A board is never gone.',
    open: one(new BoardForGood()),
    fails: LAST,
    alsoFails: because('it waits for a board to be gone', LIFE, ANEW),
  },
  {
    breaks: 'The life of a board is counted in whole seconds, and what is below one is nothing.',
    open: one(new BoardInSeconds()),
    fails: LAST,
    alsoFails: because('the life is below a second, or is cut to one', LIFE),
  },
  {
    breaks: 'The longest life that a board was given counts.',
    open: one(new LongestLife()),
    fails: LAST,
    alsoFails: {},
  },
  {
    breaks: 'A board that is read lives anew.',
    open: one(new ReadingKeepsAlive()),
    fails: LAST,
    alsoFails: because('it waits for a board to be gone by looking at it', LIFE, ANEW),
  },
  {
    breaks: 'The first report decides how long a board lives.',
    open: one(new FirstLife()),
    fails: LIFE,
    alsoFails: because('its second report is to shorten a life', LAST),
  },
  {
    breaks: 'Each report has a life of its own.',
    open: one(new LifeOfEach()),
    fails: LIFE,
    alsoFails: because('its second report is to shorten the life of the first', LAST),
  },
  {
    breaks: 'A board that is gone comes back with its old reports.',
    open: one(new OldReportsComeBack()),
    fails: ANEW,
    alsoFails: {},
  },
  {
    breaks: 'A report is kept in the buffer of the caller.',
    open: one(new KeepsCallersBuffer()),
    fails: 'what caller and reader do to their buffers changes no report',
    alsoFails: {},
  },
  {
    breaks: 'Readers of a board are given the buffers its reports are kept in.',
    open: one(new GivesItsOwnReports()),
    fails: 'what caller and reader do to their buffers changes no report',
    alsoFails: {},
  },
  {
    breaks: 'The buffer behind a view is reported whole.',
    open: one(new ReportsWholeBuffer()),
    fails: 'a view of a larger buffer is reported as what it shows',
    alsoFails: {},
  },
  {
    breaks: 'A report reads the board and writes it a moment later.',
    open: several(LooksThenReports),
    fails: 'of many reports at once none is lost',
    alsoFails: {},
  },
]
