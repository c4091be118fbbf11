import { InvalidArgumentError, isIdemError, type StoreError } from '@idem/core'
import type { AcquireOptions, Claim, Completed, Found, Hint, Renewed, Store } from '@idem/core/store'
import type { RedisDriver } from './driver.js'
import { asAcquireError, asStoreError, refusesWrites } from './errors.js'
import { Hints } from './hints.js'
import * as lua from './lua.gen.js'
import { Notices } from './notices.js'
import { Scripts } from './scripts.js'
import { lockValue, readRecord, readStanding } from './value.js'

export interface RedisStoreOptions {
  /**
   * What every key and channel begins with. Processes share what has the same prefix.
   * @default 'idem:'
   */
  readonly prefix?: string
}

/** The most bytes a hint carries: Redis drops a subscriber whose unread messages pile up. */
const HINT_BYTES = 8 * 1024

/**
 * The idem protocol on Redis 7.0 or newer, for any client. Each operation is one command or one script and touches
 * exactly one key, so nothing is cross-slot on a cluster. Hints travel on the sharded channel named as the key.
 */
export function redisStore(driver: RedisDriver, options: RedisStoreOptions = {}): Store {
  const { prefix = 'idem:', ...unknown } = options
  if (Object.keys(unknown).length > 0) {
    throw new InvalidArgumentError(`There is no option '${Object.keys(unknown)[0]}'. Known: prefix.`)
  }
  if (typeof prefix !== 'string' || /[{}]/.test(prefix)) {
    // Braces are how Redis Cluster picks the part of a name that decides its slot; ours are around the key.
    throw new InvalidArgumentError('prefix must be a string without { and }.')
  }
  const nameOf = (key: string) => `${prefix}{${key}}`
  const noteOf = (key: string, name: string) => `${nameOf(key)}:note:${name}`
  const logOf = (key: string, owner: string) => `${nameOf(key)}:live:${owner}`

  const boardOf = (board: string) => `${nameOf(board)}:reports`

  const notices = new Notices()
  const failed = (error: unknown, command: string, key: string) =>
    asStoreError(error, { command, key, prefix })

  async function send<T>(key: string, command: readonly [name: string, ...(string | Buffer)[]]): Promise<T> {
    try {
      return (await driver.send(key, command)) as T
    } catch (error) {
      throw failed(error, command[0], key)
    }
  }

  const scripts = new Scripts(driver, prefix, notices)

  /** The reply of a script that did all of its work and could not publish its hint. */
  function heard(refused: Buffer | null | undefined, key: string): void {
    if (refused) notices.tell(failed(new Error(refused.toString()), 'SPUBLISH', key))
  }

  async function acquire(
    key: string,
    claim: Claim,
    leaseMs: number,
    options: AcquireOptions = {},
  ): Promise<Found> {
    const name = nameOf(key)
    const lock = lockValue(claim)
    const lease = ms(leaseMs)
    try {
      const standing = options.replacing
        ? await scripts.run<Buffer | null>(lua.replaceByLock, name, [
            lock,
            lease,
            Buffer.from(options.replacing),
          ])
        : await driver.send(name, ['SET', name, lock, 'NX', 'GET', 'PX', lease])
      return standing === null ? { state: 'acquired' } : readStanding(standing as Buffer)
    } catch (error) {
      const cause = isIdemError(error) ? error.cause : error
      if (!refusesWrites(cause)) {
        throw isIdemError(error) ? error : asAcquireError(error, { command: 'SET', key: name, prefix })
      }
      const standing = await send<Buffer | null>(name, ['GET', name])
      if (standing === null) throw failed(cause, 'SET', name)
      return readStanding(standing)
    }
  }

  function write(
    key: string,
    { owner, fingerprint }: Claim,
    bytes: Uint8Array,
    ttlMs: number,
    mode: 'once' | 'over',
  ) {
    const args = [owner, fingerprint, ms(ttlMs), Buffer.from(bytes), mode]
    return scripts.run<[state: Buffer, standing?: Buffer | null, refused?: Buffer]>(
      lua.complete,
      nameOf(key),
      args,
    )
  }

  /**
   * Where scripts are refused: overwrites a lock that is certainly ours with nothing, with an expiry in the past.
   * Between look and write the lock may lapse and become another owner's, so that a call is made twice. Without this,
   * each caller of the key would wait until the lock lapses.
   */
  async function releasePlainly(name: string, owner: string, refusal: StoreError): Promise<boolean> {
    const value = await send<Buffer | null>(name, ['GET', name])
    if (value === null) return false
    const standing = readStanding(value)
    if (standing.state !== 'locked' || standing.owner !== owner) return false
    await send(name, ['SET', name, '', 'XX', 'PXAT', '1'])
    notices.tell(refusal)
    return true
  }

  const hints =
    driver.subscriber &&
    new Hints((onMessage, onMissed) => driver.subscriber!(onMessage, onMissed), {
      toError: (error, command, channel) => failed(error, command, channel),
      onRefused: (error) => notices.tell(error),
    })

  return {
    specVersion: 1,
    acquire,
    async renew(key, { owner, fingerprint }, leaseMs) {
      const name = nameOf(key)
      const reply = await scripts.run<Buffer>(lua.renew, name, [owner, fingerprint, ms(leaseMs)])
      const answer = reply.toString()
      if (answer !== 'mended') return answer as Renewed
      notices.tellOf(
        'lock-without-expiry',
        `The lock ${name} had no expiry, which idem always gives one: something else changed it. It was given a lease.`,
      )
      return 'lost'
    },
    async complete(key, claim, bytes, ttlMs, { over = false } = {}): Promise<Completed> {
      const [state, standing, refused] = await write(key, claim, bytes, ttlMs, over ? 'over' : 'once')
      heard(refused, nameOf(key))
      if (standing) return { state: 'standing', record: readRecord(standing) }
      return { state: state.toString() as 'stored' | 'refused' }
    },
    async read(key) {
      const name = nameOf(key)
      const standing = await send<Buffer | null>(name, ['GET', name])
      return standing === null ? { state: 'absent' } : readStanding(standing)
    },
    async forget(key) {
      return isOne(await scripts.run<unknown>(lua.forget, nameOf(key), []))
    },
    async release(key, owner) {
      const name = nameOf(key)
      try {
        const [done, refused] = await scripts.run<[done: unknown, refused?: Buffer]>(lua.release, name, [
          owner,
        ])
        heard(refused, name)
        return isOne(done)
      } catch (error) {
        // A full server refuses SET, too.
        if (!isRefusal(error) || refusesWrites(error.cause)) throw error
        return releasePlainly(name, owner, error)
      }
    },
    async leaveNote(key, name, bytes, lifeMs) {
      const note = noteOf(key, name)
      await send(note, ['SET', note, Buffer.from(bytes), 'PX', ms(lifeMs)])
    },
    async readNote(key, name) {
      const note = noteOf(key, name)
      return (await send<Buffer | null>(note, ['GET', note])) ?? undefined
    },
    async append(key, owner, offset, bytes, lifeMs) {
      const args = [owner, String(offset), Buffer.from(bytes), ms(lifeMs), nameOf(key), String(HINT_BYTES)]
      const [length, refused] = await scripts.run<[length: unknown, refused?: Buffer]>(
        lua.append,
        logOf(key, owner),
        args,
      )
      heard(refused, nameOf(key))
      return Number(length)
    },
    async tail(key, owner, from) {
      return (await scripts.run<Buffer | null>(lua.tail, logOf(key, owner), [String(from)])) ?? undefined
    },
    async report(board, name, bytes, lifeMs) {
      await scripts.run(lua.report, boardOf(board), [name, Buffer.from(bytes), ms(lifeMs)])
    },
    reports(board) {
      const name = boardOf(board)
      return send<Buffer[]>(name, ['HVALS', name])
    },
    ...(driver.domain && { domain: (key: string) => driver.domain!(nameOf(key)) }),
    ...(hints && {
      watch: (key: string, listener: (hint: Hint) => void) => hints.watch(nameOf(key), listener),
    }),
    onNotice: (listener) => notices.on(listener),
    ready: (key) => driver.ready(key === undefined ? undefined : nameOf(key)),
    close: async () => hints?.close(),
  }
}

function isRefusal(error: unknown): error is StoreError {
  return isIdemError(error) && (error as Partial<StoreError>).refused !== undefined
}

/** Some clients can be set to give numbers as text. */
function isOne(reply: unknown): boolean {
  return Number(reply) === 1
}

/** A duration as Redis takes it: whole ms, never less than what was asked for. */
function ms(duration: number): string {
  return String(Math.ceil(duration))
}
