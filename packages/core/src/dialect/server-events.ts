import { createParser } from 'eventsource-parser'
import type { StreamInspector } from './dialect.js'

/** One server-sent event (WHATWG HTML, 9.2). */
export interface ServerEvent {
  /** Empty for an event that has none. */
  readonly name: string
  readonly data: string
}

/** Takes the bytes of an event stream, cut anywhere, and gives its events. Never throws. */
export function eventReader(onEvent: (event: ServerEvent) => void): (bytes: Uint8Array) => void {
  const decoder = new TextDecoder()
  const parser = createParser({ onEvent: ({ event = '', data }) => onEvent({ name: event, data }) })
  // The parser gives an event that ends in a bare CR only when the next byte has come: it might be the LF of a CRLF.
  // After the last event no byte comes, so every line end is an LF before the parser sees it.
  let isAfterCr = false
  return (bytes) => {
    let text = decoder.decode(bytes, { stream: true })
    if (text === '') return
    if (isAfterCr && text.startsWith('\n')) text = text.slice(1)
    isAfterCr = text.endsWith('\r')
    parser.feed(text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text)
  }
}

/**
 * All events of a whole stream. Like every reader of events, it leaves out an event that is not closed by a blank line.
 */
export function readEvents(body: Uint8Array): ServerEvent[] {
  const events: ServerEvent[] = []
  eventReader((event) => events.push(event))(body)
  return events
}

/** One event on the wire. Each line of its data needs a field of its own. */
export function eventText(name: string, data: string): string {
  const lines = data.replaceAll(/\r\n?|\n/g, '\ndata: ')
  return `${name && `event: ${name}\n`}data: ${lines}\n\n`
}

const BLANK_LINE = new TextEncoder().encode('\n\n')

/** Reads the events of one stream for an inspector. */
export interface EventWatch {
  /**
   * How the stream ends with this event, if it does.
   * @param isCut the body ended before the blank line that closes the event, so that its data may be cut
   */
  endOf(event: ServerEvent, isCut: boolean): 'whole' | 'failed' | undefined
  /**
   * Whether callers have the whole answer where the body ends without such an event. Absent: they do not, since it
   * cannot be told from one that was cut.
   */
  isComplete?(): boolean
}

/** Watches a stream of events until one of them ends it. A function is a watch of `endOf` alone. */
export function inspector(watch: EventWatch | EventWatch['endOf']): StreamInspector {
  const watching: EventWatch = typeof watch === 'function' ? { endOf: watch } : watch
  let state: StreamInspector['state'] = 'running'
  let isCut = false
  const push = eventReader((event) => {
    if (state === 'running') state = watching.endOf(event, isCut) ?? 'running'
  })
  return {
    push,
    end() {
      isCut = true
      push(BLANK_LINE)
      if (state === 'running' && watching.isComplete?.()) state = 'finished'
    },
    get state() {
      return state
    },
  }
}
