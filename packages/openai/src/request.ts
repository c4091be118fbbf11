import { type Dialect, type Identity, isObject, type JsonObject } from '@idem/core/dialect'

/** The headers of all three APIs: the credentials are OpenAI's own, Azure's, and that of Azure API Management. */
export const openaiHeaders = {
  credentialHeaders: ['authorization', 'api-key', 'ocp-apim-subscription-key'],
  setHeaders: ['openai-beta'],
} satisfies Partial<Dialect>

/**
 * Whether a request is a POST to a URL whose path ends with this. Deployments and gateways put their own path before
 * it.
 */
export function isPostTo(path: string, { method, url }: { method: string; url: string }): boolean {
  return method === 'POST' && new URL(url).pathname.endsWith(path)
}

/** What all three APIs read from a request. Its body is everything but `stream`. */
export function identityOf(request: JsonObject): Identity {
  const { stream, ...body } = request
  // `null` means absent. Any other value stays in the key: it may change more than how the answer is delivered.
  const isDelivery = (stream ?? null) === null || typeof stream === 'boolean'
  return { body: isDelivery ? body : request, streaming: stream === true, isSampled: isSampled(body) }
}

/**
 * The body of a request for a stream, without the named switches of `stream_options`, and without `stream_options` if
 * nothing else is in it. Other members of it stay, and so are in the key. Where no stream is asked for, all of it
 * stays.
 */
export function withoutSwitches(body: JsonObject, names: readonly string[]): JsonObject {
  const { stream_options: options, ...rest } = body
  if (options === null || options === undefined) return rest
  if (body.stream !== true) return body
  if (!isObject(options)) return body
  const kept = Object.entries(options).filter(
    ([name, value]) => !(names.includes(name) && typeof value === 'boolean'),
  )
  return kept.length > 0 ? { ...rest, stream_options: Object.fromEntries(kept) } : rest
}

/**
 * A temperature over 0, a choice of tokens or several answers ask for answers that differ, unless a seed asks for the
 * same ones.
 */
function isSampled({ temperature, top_p, n, seed }: JsonObject): boolean {
  if ((seed ?? null) !== null) return false
  return Number(temperature ?? 0) > 0 || Number(top_p ?? 1) !== 1 || Number(n ?? 1) > 1
}
