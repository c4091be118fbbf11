import type { Dialect } from '@idem/core/dialect'
import { chatDialect } from './chat/dialect.js'
import { embeddingsDialect } from './embeddings.js'
import { responsesDialect } from './responses/dialect.js'

/** All that idem knows of the OpenAI API: `createIdem({ dialects: openaiDialects })`, then `fetch: idem.fetch`. */
export const openaiDialects: readonly Dialect[] = [chatDialect, responsesDialect, embeddingsDialect]
