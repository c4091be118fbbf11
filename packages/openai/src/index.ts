import type { Dialect } from '@idem/core'
import { chatDialect } from './chat/dialect.js'
import { embeddingsDialect } from './embeddings.js'
import { responsesDialect } from './responses/dialect.js'
import './fetch-options.js'

export { chatDialect, embeddingsDialect, responsesDialect }

/** All that idem knows of the OpenAI API: `createIdem({ dialects: openaiDialects })`, then `fetch: idem.fetch`. */
export const openaiDialects: readonly Dialect[] = [chatDialect, responsesDialect, embeddingsDialect]
