// A process whose SDK client streams through idem over Redis, driven over IPC.
import { Anthropic } from '@anthropic-ai/sdk'
import { idempotency } from '@idem/anthropic'
import { createIdem } from '@idem/core'
import { ioredisStore } from '@idem/ioredis'
import { serveWorker } from '@idem/testing'
import { Redis } from 'ioredis'

const { REDIS_URL, PREFIX, UPSTREAM_URL, IDEM_OPTIONS = '{}', DEAF } = process.env
const redis = new Redis(REDIS_URL)
const store = ioredisStore(redis, { prefix: PREFIX })
if (DEAF) store.watch = undefined
const idem = createIdem({ store, logger: { warn() {} }, ...JSON.parse(IDEM_OPTIONS) })
const client = new Anthropic({
  baseURL: UPSTREAM_URL,
  apiKey: 'key',
  maxRetries: 0,
  middleware: [idempotency(idem)],
})

const question = (about) => ({
  model: 'claude-opus-4-5',
  max_tokens: 256,
  messages: [{ role: 'user', content: about }],
})

/** Streams that are being read, by the name the test gave them. */
const readers = new Map()

const server = serveWorker({
  /** Many callers at once, each with its mode. Gives the bytes of the streams and the whole messages. */
  async storm(about, modes) {
    const asked = modes.map(async (mode) =>
      mode === 'stream'
        ? (await client.messages.create({ ...question(about), stream: true }).asResponse()).text()
        : client.messages.create(question(about)),
    )
    return Promise.all(asked)
  },
  /** The whole message, by either way. */
  async message(about, mode) {
    if (mode === 'whole') return client.messages.create(question(about))
    const { parsed_output: _, ...message } = await client.messages.stream(question(about)).finalMessage()
    return JSON.parse(JSON.stringify(message))
  },
  /** Begins a stream; its pieces are reported as they come, and then how it ended. */
  async begin(name, about) {
    const response = await client.messages.create({ ...question(about), stream: true }).asResponse()
    const reader = response.body.getReader()
    readers.set(name, reader)
    return response.headers.get('cache-status')
  },
  /** Reads the stream to its end. */
  async read(name) {
    const decoder = new TextDecoder()
    let text = ''
    try {
      for (let next = await readers.get(name).read(); !next.done; next = await readers.get(name).read()) {
        const piece = decoder.decode(next.value, { stream: true })
        text += piece
        server.emit('piece', { name, text, at: process.hrtime.bigint() })
      }
      return { text }
    } catch (error) {
      return { text, error: { code: error.code, name: error.name }, at: process.hrtime.bigint() }
    }
  },
  leave: (name) => readers.get(name).cancel(),
  stats: () => idem.stats(),
})
