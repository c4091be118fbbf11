import { setTimeout as sleep } from 'node:timers/promises'
import type { Completed, Hint, Store, Watch } from '@idem/core/store'
import { type Broken, because, FAULTS, one, several } from './broken.js'
import { type Listener, PlainStore } from './plain-store.js'

type Append = [key: string, owner: string, offset: number, bytes: Uint8Array, ms: number]
type Complete = Parameters<PlainStore['once']>

class AnswersWritten extends PlainStore {
  override async append(...args: Append): Promise<number> {
    const before = this.log(args[0], args[1])?.byteLength ?? 0
    const length = await super.append(...args)
    return length > before ? args[3].byteLength : length
  }
}

class TailFromStart extends PlainStore {
  override tail(key: string, owner: string): Promise<Uint8Array | undefined> {
    return super.tail(key, owner, 0)
  }
}

class TailsNothing extends PlainStore {
  override async tail(...args: Parameters<PlainStore['tail']>): Promise<Uint8Array> {
    return (await super.tail(...args)) ?? new Uint8Array()
  }
}

class LogOfTheHandle extends PlainStore {
  readonly #home = new PlainStore()
  override async append(...args: Append): Promise<number> {
    const length = await this.#home.append(...args)
    const [key, owner, offset, bytes] = args
    if (length > offset) this.hint(key, { type: 'live', owner, offset, bytes })
    return length
  }
  override tail(...args: Parameters<PlainStore['tail']>): Promise<Uint8Array | undefined> {
    return this.#home.tail(...args)
  }
}

class ForgetsRetries extends PlainStore {
  override async append(...args: Append): Promise<number> {
    const log = this.log(args[0], args[1])
    return args[2] < (log?.byteLength ?? 0) ? log!.byteLength : super.append(...args)
  }
}

class NeverCompares extends PlainStore {
  override async append(...args: Append): Promise<number> {
    const length = this.log(args[0], args[1])?.byteLength ?? 0
    const end = args[2] + args[3].byteLength
    return args[2] < length && end <= length ? end : super.append(...args)
  }
}

class AddsTheRest extends PlainStore {
  override async append(key: string, owner: string, offset: number, bytes: Uint8Array, ms: number) {
    const length = this.log(key, owner)?.byteLength ?? 0
    const end = offset + bytes.byteLength
    if (offset >= length || end <= length) return super.append(key, owner, offset, bytes, ms)
    return super.append(key, owner, length, bytes.subarray(length - offset), ms)
  }
}

class FillsGaps extends PlainStore {
  override async append(key: string, owner: string, offset: number, bytes: Uint8Array, ms: number) {
    const log = this.log(key, owner) ?? new Uint8Array()
    if (offset > log.byteLength) {
      this.extend(key, owner, Buffer.concat([log, new Uint8Array(offset - log.byteLength)]), ms)
    }
    return super.append(key, owner, offset, bytes, ms)
  }
}

class NothingBeginsNothing extends PlainStore {
  override async append(...args: Append): Promise<number> {
    return args[3].byteLength === 0 ? (this.log(args[0], args[1])?.byteLength ?? 0) : super.append(...args)
  }
}

class LogOfText extends PlainStore {
  protected override extend(key: string, owner: string, bytes: Uint8Array, ms: number): void {
    super.extend(
      key,
      owner,
      Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
      ms,
    )
  }
}

class LogOfTheKey extends PlainStore {
  protected override log(key: string): Uint8Array | undefined {
    return super.log(key, '')
  }
  protected override extend(key: string, _owner: string, bytes: Uint8Array, ms: number): void {
    super.extend(key, '', bytes, ms)
  }
}

class LogOfTheOwner extends PlainStore {
  protected override log(_key: string, owner: string): Uint8Array | undefined {
    return super.log('', owner)
  }
  protected override extend(_key: string, owner: string, bytes: Uint8Array, ms: number): void {
    super.extend('', owner, bytes, ms)
  }
}

class FirstLifeOnly extends PlainStore {
  protected override extend(key: string, owner: string, bytes: Uint8Array, ms: number): void {
    const there = this.log(key, owner) && this.shared.logs.get(`${key} ${owner}`)
    super.extend(key, owner, bytes, there ? there.expiresAt - this.now() : ms)
  }
}

class LogForGood extends PlainStore {
  protected override extend(key: string, owner: string, bytes: Uint8Array): void {
    super.extend(key, owner, bytes, 86_400_000)
  }
}

class AlwaysExtends extends PlainStore {
  override async append(...args: Append): Promise<number> {
    const length = await super.append(...args)
    const log = this.log(args[0], args[1])
    if (log) this.extend(args[0], args[1], log, args[4])
    return length
  }
}

class AppendLocks extends PlainStore {
  override async append(...args: Append): Promise<number> {
    const [key, owner] = args
    if (!this.at(key)) this.lock(key, { owner, fingerprint: owner }, 60_000)
    return super.append(...args)
  }
}

class LogGoesWithLock extends PlainStore {
  override async release(key: string, owner: string): Promise<boolean> {
    this.shared.logs.delete(`${key} ${owner}`)
    return super.release(key, owner)
  }
  override async once(...args: Complete): Promise<Completed> {
    this.shared.logs.delete(`${args[0]} ${args[1].owner}`)
    return super.once(...args)
  }
}

class GivesItsOwnLog extends PlainStore {
  override async tail(key: string, owner: string, from: number): Promise<Uint8Array | undefined> {
    return this.log(key, owner)?.subarray(from)
  }
}

class AppendsWholeBuffer extends PlainStore {
  override append(key: string, owner: string, offset: number, bytes: Uint8Array, ms: number) {
    const whole = Buffer.isBuffer(bytes) ? bytes : new Uint8Array(bytes.buffer)
    return super.append(key, owner, offset, whole, ms)
  }
}

class LooksThenAppends extends PlainStore {
  override async append(...args: Append): Promise<number> {
    const [key, owner, offset, bytes, ms] = args
    const log = this.log(key, owner) ?? new Uint8Array()
    if (log.byteLength !== offset) return super.append(...args)
    await sleep(1)
    this.extend(key, owner, Buffer.concat([this.log(key, owner) ?? log, bytes]), ms)
    this.hint(key, { type: 'live', owner, offset, bytes: new Uint8Array(bytes) })
    return this.log(key, owner)!.byteLength
  }
}

class HintsNameTheEnd extends PlainStore {
  protected override hint(key: string, hint: Hint): void {
    const end = hint.type === 'live' && { offset: hint.offset + (hint.bytes?.byteLength ?? 0) }
    super.hint(key, { ...hint, ...end } as Hint)
  }
}

class HintsWithoutBytes extends PlainStore {
  protected override hint(key: string, hint: Hint): void {
    if (hint.type !== 'live') super.hint(key, hint)
    else super.hint(key, { type: 'live', owner: hint.owner, offset: hint.offset })
  }
}

class HintsCutShort extends PlainStore {
  protected override hint(key: string, hint: Hint): void {
    const cut = hint.type === 'live' && { bytes: hint.bytes?.slice(0, 8192) }
    super.hint(key, { ...hint, ...cut } as Hint)
  }
}

class HintsOnceALog extends PlainStore {
  override watch(key: string, listener: Listener): Watch {
    let live = 0
    return super.watch(key, (hint) => {
      if (hint.type !== 'live' || live++ < 2) listener(hint)
    })
  }
}

function without(store: Store, name: 'append' | 'tail' | 'watch', instead?: unknown): Store {
  return Object.assign(store, { [name]: instead })
}

export const live: Broken[] = [
  {
    breaks: 'It appends to a log that nobody can read: there is no tail().',
    open: one(without(new PlainStore(), 'tail')),
    fails: 'a store with append() has tail() too',
    alsoFails: because(
      'it reads a log, or an idem is to take half of an ability',
      ...FAULTS,
      'a key may be 64 characters, and all of them count',
      'a key may be `-` or `_` alone, or end in them on both sides',
      'a key may be one character, a letter or a digit',
      'a large append is heard with all its bytes or none, and tail has them all',
      'a log can be read to its end after its owner has completed or let go',
      'a report leaves the key of its board’s name alone: lock, record, ending and log',
      'a view of a larger buffer is appended as what it shows',
      'an append after a gap writes nothing, and begins no log',
      'an append of no bytes begins a log, and no bytes are in a log anywhere',
      'an append that begins inside the log and goes past its end writes nothing',
      'an append that writes nothing does not lengthen the life of the log',
      'each append answers how long the log is now, and tail gives all of it',
      'each append gives the log another life, and the log is gone after it',
      'every byte value comes back from a log',
      'logs of one owner on two keys do not mix',
      'logs of two owners of one key do not mix',
      'of many appends at one offset at once exactly one is written',
      'other bytes at an offset the log has passed write nothing',
      'tail gives the log from any offset, and nothing at its end',
      'the same bytes again are a success and are not doubled',
      'what caller and reader do to their buffers does not change the log',
      'what one process appends another reads and goes on with',
      'where a key ends and an owner begins is never guessed',
      'where there is no log, tail gives undefined',
    ),
  },
  {
    breaks: 'It has tail() but no append().',
    open: one(without(new PlainStore(), 'append')),
    fails: 'a store without append() has no tail() either',
    alsoFails: because('no idem takes half of an ability', ...FAULTS),
  },
  {
    breaks: 'In the place of watch() it has word that there is none.',
    open: one(without(new PlainStore(), 'watch', 'unsupported')),
    fails: 'a store without watch() has nothing in its place, so that waiters poll',
    alsoFails: {},
  },
  {
    breaks: 'An append answers how much it wrote.',
    open: one(new AnswersWritten()),
    fails: 'each append answers how long the log is now, and tail gives all of it',
    alsoFails: because(
      'it goes by the length that a second append answers',
      'a large append is heard with all its bytes or none, and tail has them all',
      'a log that is followed by hints and tail is followed whole',
      'each append gives the log another life, and the log is gone after it',
      'every byte value comes back from a log',
      'of many appends at one offset at once exactly one is written',
      'what one process appends another reads and goes on with',
    ),
  },
  {
    breaks: 'tail gives the whole log, whatever the offset.',
    open: one(new TailFromStart()),
    fails: 'tail gives the log from any offset, and nothing at its end',
    alsoFails: because(
      'it reads a log from an offset',
      'of many appends at one offset at once exactly one is written',
      'what one process appends another reads and goes on with',
    ),
  },
  {
    breaks: 'No log is taken for an empty one.',
    open: one(new TailsNothing()),
    fails: 'where there is no log, tail gives undefined',
    alsoFails: because(
      'it looks for a log that is not there',
      'an append after a gap writes nothing, and begins no log',
      'an append that writes nothing does not lengthen the life of the log',
      'each append gives the log another life, and the log is gone after it',
      'logs of one owner on two keys do not mix',
      'logs of two owners of one key do not mix',
      'where a key ends and an owner begins is never guessed',
    ),
  },
  {
    breaks: 'A log stays in the process that writes it.',
    open: several(LogOfTheHandle),
    fails: 'what one process appends another reads and goes on with',
    alsoFails: because(
      'two handles write to one log, or one reads that of the other',
      'a large append is heard with all its bytes or none, and tail has them all',
      'of many appends at one offset at once exactly one is written',
    ),
  },
  {
    breaks: 'An append that is sent again is not recognised.',
    open: one(new ForgetsRetries()),
    fails: 'the same bytes again are a success and are not doubled',
    alsoFails: because(
      'it appends what is in the log already',
      'an append of no bytes begins a log, and no bytes are in a log anywhere',
      'every byte value comes back from a log',
    ),
  },
  {
    breaks: 'What lies within the log is taken for the same bytes again.',
    open: one(new NeverCompares()),
    fails: 'other bytes at an offset the log has passed write nothing',
    alsoFails: because(
      'it appends other bytes at an offset the log has passed',
      'every byte value comes back from a log',
    ),
  },
  {
    breaks: 'Of an append that begins inside the log, what goes past its end is added.',
    open: one(new AddsTheRest()),
    fails: 'an append that begins inside the log and goes past its end writes nothing',
    alsoFails: because(
      'an append begins inside the log and goes past its end',
      'an append that writes nothing does not lengthen the life of the log',
      'of many appends at one offset at once exactly one is written',
    ),
  },
  {
    breaks: 'A gap is filled with zeros.',
    open: one(new FillsGaps()),
    fails: 'an append after a gap writes nothing, and begins no log',
    alsoFails: because(
      'it appends after a gap',
      'an append of no bytes begins a log, and no bytes are in a log anywhere',
      'an append that writes nothing does not lengthen the life of the log',
      'each append gives the log another life, and the log is gone after it',
    ),
  },
  {
    breaks: 'An append of no bytes is not looked at.',
    open: one(new NothingBeginsNothing()),
    fails: 'an append of no bytes begins a log, and no bytes are in a log anywhere',
    alsoFails: {},
  },
  {
    breaks: 'Line ends of a log are changed.',
    open: one(new LogOfText()),
    fails: 'every byte value comes back from a log',
    alsoFails: {},
    mayFail: {
      'a large append is heard with all its bytes or none, and tail has them all':
        'if there is such a line end among its random bytes',
    },
  },
  {
    breaks: 'A key has one log, whoever writes.',
    open: one(new LogOfTheKey()),
    fails: 'logs of two owners of one key do not mix',
    alsoFails: because(
      'a second owner begins a log',
      'an append after a gap writes nothing, and begins no log',
    ),
  },
  {
    breaks: 'An owner has one log, whatever the key.',
    open: one(new LogOfTheOwner()),
    fails: 'logs of one owner on two keys do not mix',
    alsoFails: {},
  },
  {
    breaks: 'A log lives from its first append.',
    open: one(new FirstLifeOnly()),
    fails: 'each append gives the log another life, and the log is gone after it',
    alsoFails: {},
  },
  {
    breaks: 'A log is never gone.',
    open: one(new LogForGood()),
    fails: 'each append gives the log another life, and the log is gone after it',
    alsoFails: because(
      'it waits for a log to be gone',
      'an append that writes nothing does not lengthen the life of the log',
    ),
  },
  {
    breaks: 'An append that writes nothing still lengthens the life of the log.',
    open: one(new AlwaysExtends()),
    fails: 'an append that writes nothing does not lengthen the life of the log',
    alsoFails: {},
  },
  {
    breaks: 'An append takes the lock if nobody has it.',
    open: one(new AppendLocks()),
    fails: 'a log needs no lock and changes neither lock nor record',
    alsoFails: {},
  },
  {
    breaks: 'A log goes when its owner has completed or let go.',
    open: one(new LogGoesWithLock()),
    fails: 'a log can be read to its end after its owner has completed or let go',
    alsoFails: {},
  },
  {
    breaks: 'Readers of a log are given the buffer it is kept in.',
    open: one(new GivesItsOwnLog()),
    fails: 'what caller and reader do to their buffers does not change the log',
    alsoFails: {},
  },
  {
    breaks: 'The buffer behind a view is appended whole.',
    open: one(new AppendsWholeBuffer()),
    fails: 'a view of a larger buffer is appended as what it shows',
    alsoFails: {},
  },
  {
    breaks: 'An append looks how long the log is and writes a moment later.',
    open: several(LooksThenAppends),
    fails: 'of many appends at one offset at once exactly one is written',
    alsoFails: {},
  },
  {
    breaks: 'A live hint names the end of the log instead of the offset.',
    open: one(new HintsNameTheEnd()),
    fails: 'an append is heard by watchers of its key: owner, offset, and the bytes where they are few',
    alsoFails: because(
      'it goes by the offset of a hint',
      'a large append is heard with all its bytes or none, and tail has them all',
      'a log that is followed by hints and tail is followed whole',
    ),
  },
  {
    breaks: 'Live hints carry no bytes.',
    open: one(new HintsWithoutBytes()),
    fails: 'a hint of few bytes carries them',
    alsoFails: {},
  },
  {
    breaks: 'A live hint carries the first 8 KiB.',
    open: one(new HintsCutShort()),
    fails: 'a large append is heard with all its bytes or none, and tail has them all',
    alsoFails: {},
  },
  {
    breaks: 'A watcher hears of two appends and of no more.',
    open: one(new HintsOnceALog()),
    fails: 'a log that is followed by hints and tail is followed whole',
    alsoFails: {},
  },
]
