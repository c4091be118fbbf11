import './fetch-options.js'

export { chatDialect } from './chat/dialect.js'
export { openaiDialects } from './dialects.js'
export { embeddingsDialect } from './embeddings.js'
export type { IdemRequestOptions, WithIdem } from './request-options.js'
export { responsesDialect } from './responses/dialect.js'
export { withIdem } from './with-idem.js'
