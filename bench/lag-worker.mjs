// One process of a bench: a streaming client over idem, and a bare subscriber of the same Redis to compare with.
import { Anthropic } from '@anthropic-ai/sdk'
import { idempotency } from '@idem/anthropic'
import { createIdem } from '@idem/core'
import { ioredisStore } from '@idem/ioredis'
import { serveWorker } from '@idem/testing'
import { Redis } from 'ioredis'

const { REDIS_URL, PREFIX, UPSTREAM_URL, BATCH_MS } = process.env
const redis = new Redis(REDIS_URL)
const idem = createIdem({
  store: ioredisStore(redis, { prefix: PREFIX }),
  tuning: { liveBatchMs: Number(BATCH_MS) },
})
const client = new Anthropic({ baseURL: UPSTREAM_URL, apiKey: 'key', middleware: [idempotency(idem)] })

const server = serveWorker({
  /** Streams the answer; gives when each of its bytes was here: `[bytes so far, ns]` a chunk. */
  async stream(about) {
    const response = await client.messages
      .create({ model: 'm', max_tokens: 1, stream: true, messages: [{ role: 'user', content: about }] })
      .asResponse()
    const arrivals = []
    let bytes = 0
    for await (const chunk of response.body) {
      bytes += chunk.byteLength
      arrivals.push([bytes, process.hrtime.bigint()])
      if (arrivals.length === 1) server.emit('began')
    }
    return arrivals
  },
  /** Hears messages on a channel; each is reported with the time it came. */
  async listen(channel) {
    const subscriber = redis.duplicate()
    subscriber.on('smessage', (_, message) => server.emit('heard', { message, at: process.hrtime.bigint() }))
    await subscriber.ssubscribe(channel)
  },
  async publish(channel, message) {
    const at = process.hrtime.bigint()
    await redis.spublish(channel, message)
    return at
  },
})
