import { type Assessment, type Dialect, isObject, type JsonObject } from '@idem/core/dialect'
import { errorBody } from './errors.js'
import { prices } from './prices.js'
import { identityOf, isPostTo, openaiHeaders } from './request.js'
import { usageOf } from './usage.js'

/** The Embeddings API (`POST …/embeddings`). It has no streams. */
export const embeddingsDialect: Dialect = {
  ...openaiHeaders,
  specVersion: 1,
  door: 'embeddings',

  matches: (request) => isPostTo('/embeddings', request),

  identify(body) {
    if ((body.input ?? null) === null) throw new TypeError('nothing to embed')
    return identityOf(body)
  },

  assess(answer, body) {
    const { data, model, usage } = answer
    if (!Array.isArray(data)) throw new TypeError('not a list of embeddings')
    return { ...keepFor(answer, data, body), model: String(model), usage: usageOf(usage) }
  },

  prices,
  errorBody,
}

/**
 * Stored only if it has a vector for each input: of numbers, which some servers send whatever is asked for, or as
 * base64.
 */
function keepFor(
  { error }: JsonObject,
  data: readonly unknown[],
  { input, encoding_format: format }: JsonObject,
): Pick<Assessment, 'keep' | 'doubt'> {
  if (error) return { keep: 'share', doubt: 'it tells of an error' }
  const isVector = (one: unknown) => isNumbers(one) || (format === 'base64' && isBase64(one))
  const vectors = data.filter(isObject).filter(({ embedding }) => isVector(embedding))
  const places = new Set(vectors.map(({ index }) => index))
  const isComplete = places.size === data.length && data.every((_, place) => places.has(place))
  if (!isComplete || data.length !== inputsIn(input)) {
    return {
      keep: 'share',
      doubt: 'it does not have one vector for each input, in the encoding that was asked for',
    }
  }
  return { keep: 'store' }
}

/** A text, or its tokens; or a list of either. */
function inputsIn(input: unknown): number | undefined {
  if (typeof input === 'string') return 1
  if (!Array.isArray(input) || input.length === 0) return undefined
  return typeof input[0] === 'number' ? 1 : input.length
}

/** JSON cannot write an infinite number, but one that is too large reads as infinite. */
function isNumbers(vector: unknown): boolean {
  return Array.isArray(vector) && vector.length > 0 && vector.every((one) => Number.isFinite(one))
}

function isBase64(vector: unknown): boolean {
  return typeof vector === 'string' && vector.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(vector)
}
