import type { HttpAnswer } from '@idem/core'

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
