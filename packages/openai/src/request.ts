import { credentialIn, type Identity, isObject, isRetryIn, type JsonObject, setIn } from '@idem/core'

/** Headers that change the answer: whose models and limits it is made with, and under which content policy (Azure). */
const ANSWER_HEADERS = ['openai-organization', 'openai-project', 'x-policy-id']

/** OpenAI's own; Azure's; that of a gateway of Azure API Management before either. */
const CREDENTIAL_HEADERS = ['authorization', 'api-key', 'ocp-apim-subscription-key']

/** Whether a request is a POST to a URL whose path ends with this: deployments and gateways put theirs before it. */
export function isPostTo(path: string, { method, url }: { method: string; url: string }): boolean {
  return method === 'POST' && new URL(url).pathname.endsWith(path)
}

/** What a request is, to any of the three APIs. Its body is all but `stream`. */
export function identityOf(headers: Headers, { stream, ...body }: JsonObject): Identity {
  return {
    body,
    headers: answerHeaders(headers),
    credential: credentialIn(headers, CREDENTIAL_HEADERS),
    streaming: stream === true,
    isSampled: isSampled(body),
    isRetry: isRetryIn(headers),
  }
}

/**
 * The body without the named switches of its `stream_options`, and without `stream_options` where that was all it said.
 * What else it says stays, and so in the key.
 */
export function withoutSwitches(body: JsonObject, names: readonly string[]): JsonObject {
  const { stream_options: options, ...rest } = body
  if (options === null || options === undefined) return rest
  if (!isObject(options)) return body
  const kept = Object.entries(options).filter(
    ([name, value]) => !(names.includes(name) && typeof value === 'boolean'),
  )
  return kept.length > 0 ? { ...rest, stream_options: Object.fromEntries(kept) } : rest
}

function answerHeaders(headers: Headers): JsonObject {
  const named = ANSWER_HEADERS.map((name) => [name, headers.get(name) ?? undefined])
  return { ...Object.fromEntries(named), 'openai-beta': setIn(headers, 'openai-beta') }
}

/**
 * Whoever names a temperature over 0, tokens to choose from, or several answers, means them to differ; unless a seed
 * asks for the same ones again.
 */
function isSampled({ temperature, top_p, n, seed }: JsonObject): boolean {
  if ((seed ?? null) !== null) return false
  return Number(temperature ?? 0) > 0 || Number(top_p ?? 1) !== 1 || Number(n ?? 1) > 1
}
