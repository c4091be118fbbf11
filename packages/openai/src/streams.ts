import { eventReader, type HttpAnswer, type ServerEvent, type StreamInspector } from '@idem/core'

/** Watches a stream until one of its events says how it ended. */
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

/** A comment (WHATWG HTML, 9.2.6): the APIs have no event that says nothing. */
export const PING = ': ping\n\n'

export function textOf({ body }: HttpAnswer): string {
  return new TextDecoder().decode(body)
}

/** What the text says, if it is JSON. Never throws. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
