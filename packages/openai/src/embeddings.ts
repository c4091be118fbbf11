import type { Dialect } from '@idem/core'
import { errorBody } from './errors.js'
import { prices } from './prices.js'
import { identityOf, isPostTo } from './request.js'
import { usageOf } from './usage.js'

/** The Embeddings API (`POST …/embeddings`). It has no streams. */
export const embeddingsDialect: Dialect = {
  door: 'embeddings',

  matches: (request) => isPostTo('/embeddings', request),

  identify: identityOf,

  assess({ data, model, usage }) {
    if (!Array.isArray(data)) throw new TypeError('not a list of embeddings')
    return { keep: 'store', model: String(model), usage: usageOf(usage) }
  },

  prices,
  errorBody,
}
