// The Anthropic SDK in a process of its own, replayed answers and all: `node sdk-worker.mjs <way>`.
import { Anthropic } from '@anthropic-ai/sdk'
import { messagesDialect, withIdem } from '@idem/anthropic'
import { createIdem } from '@idem/core'
import { ioredisStore } from '@idem/ioredis'
import { serveWorker } from '@idem/testing'
import { Redis } from 'ioredis'

const { REDIS_URL, PREFIX, UPSTREAM_URL } = process.env
const way = process.argv[2]

/** An answer of the provider, kept: what remains is what the SDK itself takes. */
const kept = new Map()
async function keptFetch(url, init) {
  const key = `${url} ${init.body}`
  let answer = kept.get(key)
  if (!answer) {
    const response = await fetch(url, init)
    const { status, headers } = response
    answer = { bytes: new Uint8Array(await response.arrayBuffer()), init: { status, headers } }
    kept.set(key, answer)
  }
  return new Response(answer.bytes, answer.init)
}

const client = new Anthropic({ baseURL: UPSTREAM_URL, apiKey: 'key', fetch: keptFetch, maxRetries: 0 })
const store = way.endsWith('Redis') ? ioredisStore(new Redis(REDIS_URL), { prefix: PREFIX }) : undefined
const idem = createIdem({ ...(store && { store }), dialects: [messagesDialect], logger: { warn() {} } })
const asked = way === 'SDK alone' ? client : withIdem(client, idem, { scope: 'bench' })

const ask = {
  async json() {
    await asked.messages.create({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'json' }] })
  },
  async stream() {
    const messages = [{ role: 'user', content: 'stream' }]
    const stream = await asked.messages.create({ model: 'm', max_tokens: 1, stream: true, messages })
    for await (const _ of stream);
  },
}

/** Contents of a message, of about so many bytes. */
const texts = {
  prose: (bytes) =>
    'the quick brown fox jumps over the lazy dog, and '.repeat(bytes / 49 + 1).slice(0, bytes),
  base64: (bytes) => Buffer.alloc((bytes * 3) / 4, 'idem').toString('base64'),
  'short tokens': (bytes) => Array.from({ length: bytes / 6 }, (_, index) => String(index % 100)),
  numbers: (bytes) => Array.from({ length: bytes / 9 }, (_, index) => 0.123456 * (index % 1_000)),
}
const bodies = new Map()
const ANSWER = {
  id: 'm',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [],
  stop_reason: 'end_turn',
}
const send = async () => Response.json({ ...ANSWER, usage: { input_tokens: 1, output_tokens: 1 } })

serveWorker({
  async turn(kind, ms) {
    await ask[kind]()
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    let calls = 0
    while (performance.now() - startedAt < ms) {
      await ask[kind]()
      calls++
    }
    const { user, system } = process.cpuUsage(cpu)
    return {
      'us a call': ((performance.now() - startedAt) * 1_000) / calls,
      'CPU us': (user + system) / calls,
    }
  },

  /** A request with such a content, answered from memory: what is left is reading it and making its key. */
  async key(kind, bytes) {
    const name = `${kind} ${bytes}`
    if (!bodies.has(name))
      bodies.set(
        name,
        JSON.stringify({
          model: 'm',
          max_tokens: 1,
          messages: [{ role: 'user', content: texts[kind](bytes) }],
        }),
      )
    const body = bodies.get(name)
    const request = {
      url: 'http://bench/v1/messages',
      method: 'POST',
      headers: new Headers({ 'x-api-key': 'key' }),
      body,
    }
    const once = () => idem.exchange({ dialect: messagesDialect, request, send })
    await once()
    const { createHash } = await import('node:crypto')
    const bareAt = performance.now()
    createHash('sha256')
      .update(JSON.stringify(JSON.parse(body)))
      .digest()
    const bareMs = performance.now() - bareAt
    let blockedMs = 0
    let tickedAt = performance.now()
    const ticking = setInterval(() => {
      blockedMs = Math.max(blockedMs, performance.now() - tickedAt)
      tickedAt = performance.now()
    }, 0)
    const startedAt = performance.now()
    await (await once()).text()
    const ms = performance.now() - startedAt
    await new Promise((resolve) => setTimeout(resolve, 2))
    clearInterval(ticking)
    return { ms, 'of parse, stringify and SHA-256': ms / bareMs, 'longest step ms': blockedMs }
  },
})
