import type { Origin } from '../answer/codec.js'
import { isCounts, type Usage } from '../observe/usage.js'
import { isObject, type JsonObject } from '../util/json.js'
import type { Recorded } from './recorded.js'
import { isNeverShared } from './response-headers.js'

/** The cost of an answer, as far as it is known. Part of its facts. */
export interface Spent {
  readonly model?: string
  readonly usage?: Usage
}

/** Statuses of responses without a body, which no stored answer is. */
const EMPTY = [204, 205]

/**
 * All of a stored HTTP answer but its body. Unknown members are left alone: a newer minor version may have
 * added them.
 * @throws TypeError for what idem would not have written there
 */
export function readHead(facts: JsonObject, from?: Origin): Omit<Recorded, 'body'> {
  const {
    status,
    statusText = '',
    redirectedTo,
    headers,
    askedStream = false,
    isStream,
    model,
    usage,
  } = facts
  if (!isStatus(status, from)) throw new TypeError('not a status that is stored')
  if (typeof statusText !== 'string' || !isReason(statusText))
    throw new TypeError('not the reason of a status')
  if (redirectedTo !== undefined && !(typeof redirectedTo === 'string' && URL.canParse(redirectedTo))) {
    throw new TypeError('not a URL that was redirected to')
  }
  if (typeof askedStream !== 'boolean') throw new TypeError('not a mark of a stream')
  if (isStream !== undefined && typeof isStream !== 'boolean') throw new TypeError('not a form of an answer')
  if (model !== undefined && typeof model !== 'string') throw new TypeError('not a model')
  if (usage !== undefined && !(isObject(usage) && isCounts(usage))) throw new TypeError('not a usage')
  const led = redirectedTo !== undefined && { redirectedTo }
  const form = isStream !== undefined && { isStream }
  return { status, statusText, ...led, headers: readHeaders(headers), askedStream, ...form }
}

/** What HTTP allows (RFC 9112, 4), and a Response takes. */
function isReason(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text)
}

function isStatus(status: unknown, from: Origin | undefined): status is number {
  if (!Number.isInteger(status)) return false
  const code = status as number
  // A running answer is one that streams. Only a success is stored. An ending may be an error.
  if (from === 'live') return code === 200
  return (
    code >= 200 && code <= (from === 'record' ? 299 : 599) && !(from === 'record' && EMPTY.includes(code))
  )
}

function readHeaders(headers: unknown): [name: string, value: string][] {
  if (!Array.isArray(headers)) throw new TypeError('not a list of headers')
  const read = headers.map((header: unknown): [string, string] => {
    if (!Array.isArray(header) || header.length !== 2) throw new TypeError('not a header')
    const [name, value] = header
    if (typeof name !== 'string' || typeof value !== 'string') throw new TypeError('not a header')
    if (isNeverShared(name)) throw new TypeError(`not a header that is stored: ${name}`)
    return [name, value]
  })
  // Throws for names and values that HTTP does not allow.
  return [...new Headers(read)]
}
