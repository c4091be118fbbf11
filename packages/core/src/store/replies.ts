import { isObject } from '../util/json.js'

const isText = (value: unknown) => typeof value === 'string'
const isBytes = (value: unknown) => value instanceof Uint8Array
const isNothingOrBytes = (value: unknown) => value === undefined || isBytes(value)
const isBoolean = (value: unknown) => typeof value === 'boolean'

function isRecord(value: unknown): boolean {
  if (!isObject(value)) return false
  const { owner, fingerprint, storedAtMs, bytes } = value
  return isText(owner) && isText(fingerprint) && Number.isFinite(storedAtMs) && isBytes(bytes)
}

/** A check: the reply has one of these states, with the members that go with it. */
function isState(value: unknown, ...states: readonly string[]): boolean {
  if (!isObject(value) || !states.includes(String(value.state))) return false
  if (value.state === 'locked') return isText(value.owner) && isText(value.fingerprint)
  return !['completed', 'standing'].includes(String(value.state)) || isRecord(value.record)
}

/** The replies that each command of a store may give. */
const REPLIES = {
  acquire: (reply: unknown) => isState(reply, 'acquired', 'locked', 'completed'),
  renew: (reply: unknown) => ['held', 'retaken', 'completed', 'lost'].includes(reply as string),
  complete: (reply: unknown) => isState(reply, 'stored', 'standing', 'refused'),
  read: (reply: unknown) => isState(reply, 'absent', 'locked', 'completed'),
  release: isBoolean,
  forget: isBoolean,
  readNote: isNothingOrBytes,
  tail: isNothingOrBytes,
  append: (reply: unknown) => Number.isSafeInteger(reply) && (reply as number) >= 0,
  leaveNote: () => true,
  report: () => true,
  reports: (reply: unknown) => Array.isArray(reply) && reply.every(isBytes),
} as const

/** The commands of a store that are sent to it. */
export type CommandName = keyof typeof REPLIES

/**
 * Finds a store with a bug before its reply is believed.
 * @throws TypeError that names the command, unless it may be answered so
 */
export function assertReply(command: CommandName, reply: unknown): void {
  const mayBe: (reply: unknown) => boolean = REPLIES[command]
  if (!mayBe(reply)) {
    throw new TypeError(`${command}() of the store answered what the contract of Store does not allow.`)
  }
}
