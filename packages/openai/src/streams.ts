import type { HttpAnswer } from '@idem/core/dialect'

/** A comment (WHATWG HTML, 9.2.6), since these APIs have no event that carries nothing. */
export const PING = ': ping\n\n'

export function textOf({ body }: HttpAnswer): string {
  return new TextDecoder().decode(body)
}

/** The value of the text if it is JSON, else undefined. Never throws. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
