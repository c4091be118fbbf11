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
  return (bytes) => parser.feed(decoder.decode(bytes, { stream: true }))
}

/** All events of a whole stream. */
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

/** Watches a stream of events until `endOf` says of one of them how it ended. */
export function inspector(
  endOf: (event: ServerEvent) => Exclude<StreamInspector['state'], 'running'> | undefined,
): StreamInspector {
  let state: StreamInspector['state'] = 'running'
  const push = eventReader((event) => {
    if (state === 'running') state = endOf(event) ?? 'running'
  })
  return {
    push,
    get state() {
      return state
    },
  }
}
