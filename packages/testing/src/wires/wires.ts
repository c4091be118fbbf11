import { bedrockWire } from './bedrock-wire.js'
import { chatWire } from './chat-wire.js'
import { embeddingsWire } from './embeddings-wire.js'
import { messagesWire } from './messages-wire.js'
import { responsesWire } from './responses-wire.js'
import { vertexWire } from './vertex-wire.js'
import type { Wire } from './wire.js'
import { isObject } from './wire-text.js'

/** The API of a path, by its end: gateways put their own path before it. */
const wires: [path: RegExp, Wire][] = [
  [/\/v1\/messages$/, messagesWire],
  [/\/model\/[^/]+\/invoke(-with-response-stream)?$/, bedrockWire],
  [/\/publishers\/anthropic\/models\/(?!count-tokens:)[^/]+:(rawPredict|streamRawPredict)$/, vertexWire],
  [/\/chat\/completions$/, chatWire],
  [/\/responses$/, responsesWire],
  [/\/embeddings$/, embeddingsWire],
]

const withoutQuery = (path: string) => path.split('?')[0]!

/** The wire that is spoken under a path; undefined where nothing is served. */
export function wireOf(path: string): Wire | undefined {
  return wires.find(([pattern]) => pattern.test(withoutQuery(path)))?.[1]
}

/** What path and body ask for together; undefined when the body is not an object. */
export function requestOf(wire: Wire, path: string, body: unknown): Record<string, unknown> | undefined {
  return isObject(body) ? { ...body, ...wire.fromPath?.(withoutQuery(path)) } : undefined
}
