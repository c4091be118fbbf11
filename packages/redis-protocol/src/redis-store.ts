import {
  type AcquireOptions,
  type Claim,
  type Completed,
  type Found,
  type Hint,
  InvalidArgumentError,
  type Renewed,
  type Store,
} from '@idem/core'
import type { RedisDriver } from './driver.js'
import { asAcquireError, asStoreError, refusesWrites, replyCode } from './errors.js'
import { Hints } from './hints.js'
import * as lua from './lua.gen.js'
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
  const endingOf = (key: string, owner: string) => `${nameOf(key)}:end:${owner}`
  const logOf = (key: string, owner: string) => `${nameOf(key)}:live:${owner}`

  const boardOf = (board: string) => `${nameOf(board)}:reports`

  async function send<T>(
    key: string,
    command: readonly (string | Buffer)[],
    toError = asStoreError as Wrap,
  ): Promise<T> {
    try {
      return (await driver.send(key, command)) as T
    } catch (error) {
      throw toError(error)
    }
  }

  /** By its hash; the source travels only where the server does not know it yet. */
  async function script<T>(
    { sha1, source }: lua.Script,
    key: string,
    args: readonly (string | Buffer)[],
  ): Promise<T> {
    try {
      return (await driver.send(key, ['EVALSHA', sha1, '1', key, ...args])) as T
    } catch (error) {
      if (replyCode(error) !== 'NOSCRIPT') throw asStoreError(error)
      return send(key, ['EVAL', source, '1', key, ...args])
    }
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
        ? await script<Buffer | null>(lua.replaceByLock, name, [lock, lease, Buffer.from(options.replacing)])
        : await driver.send(name, ['SET', name, lock, 'NX', 'GET', 'PX', lease])
      return standing === null ? { state: 'acquired' } : readStanding(standing as Buffer)
    } catch (error) {
      if (!refusesWrites(error)) throw asAcquireError(error)
      const standing = await send<Buffer | null>(name, ['GET', name])
      if (standing === null) throw asStoreError(error)
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
    return script<[state: Buffer, standing?: Buffer]>(lua.complete, nameOf(key), args)
  }

  const hints = driver.subscriber && new Hints((onMessage) => driver.subscriber!(onMessage))

  return {
    acquire,
    async renew(key, { owner, fingerprint }, leaseMs) {
      const reply = await script<Buffer>(lua.renew, nameOf(key), [owner, fingerprint, ms(leaseMs)])
      return reply.toString() as Renewed
    },
    async complete(key, claim, bytes, ttlMs): Promise<Completed> {
      const [state, standing] = await write(key, claim, bytes, ttlMs, 'once')
      if (standing) return { state: 'standing', record: readRecord(standing) }
      return { state: state.toString() as 'stored' | 'refused' }
    },
    async replace(key, claim, bytes, ttlMs) {
      const [state] = await write(key, claim, bytes, ttlMs, 'over')
      return state.toString() === 'stored'
    },
    async read(key) {
      const name = nameOf(key)
      const standing = await send<Buffer | null>(name, ['GET', name])
      return standing === null ? { state: 'absent' } : readStanding(standing)
    },
    async forget(key) {
      return (await script<number>(lua.forget, nameOf(key), [])) === 1
    },
    async release(key, owner) {
      return (await script<number>(lua.release, nameOf(key), [owner])) === 1
    },
    async end(key, owner, ending, lifeMs) {
      const name = endingOf(key, owner)
      await send(name, ['SET', name, Buffer.from(ending), 'PX', ms(lifeMs)])
    },
    async ending(key, owner) {
      const name = endingOf(key, owner)
      return (await send<Buffer | null>(name, ['GET', name])) ?? undefined
    },
    append(key, owner, offset, bytes, lifeMs) {
      const args = [owner, String(offset), Buffer.from(bytes), ms(lifeMs), nameOf(key), String(HINT_BYTES)]
      return script<number>(lua.append, logOf(key, owner), args)
    },
    async tail(key, owner, from) {
      return (await script<Buffer | null>(lua.tail, logOf(key, owner), [String(from)])) ?? undefined
    },
    async report(board, name, bytes, lifeMs) {
      await script(lua.report, boardOf(board), [name, Buffer.from(bytes), ms(lifeMs)])
    },
    reports(board) {
      const name = boardOf(board)
      return send<Buffer[]>(name, ['HVALS', name])
    },
    ...(driver.domain && { domain: (key: string) => driver.domain!(nameOf(key)) }),
    ...(hints && {
      watch: (key: string, listener: (hint: Hint) => void) => hints.watch(nameOf(key), listener),
    }),
    ready: () => driver.ready(),
    close: async () => hints?.close(),
  }
}

type Wrap = (error: unknown) => unknown

/** A duration as Redis takes it: whole ms, never less than what was asked for. */
function ms(duration: number): string {
  return String(Math.ceil(duration))
}
