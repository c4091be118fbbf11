import Anthropic from '@anthropic-ai/sdk'
import { idempotency } from '@idem/anthropic'
import { createIdem } from '@idem/core'
import { ioredisStore } from '@idem/ioredis'
import { Redis } from 'ioredis'

const redis = new Redis(process.env.REDIS_URL)
const idem = createIdem({ store: ioredisStore(redis) })
const anthropic = new Anthropic({ middleware: [idempotency(idem)] })

const request = { model: 'claude-haiku-4-5', max_tokens: 64, messages: [{ role: 'user', content: 'Hello' }] }
await Promise.all([anthropic.messages.create(request), anthropic.messages.create(request)]) // one call
await anthropic.messages.create(request) // none: replayed, here or in any process that shares this Redis
console.log(idem.stats())

await idem.close() // waits for what is running
redis.disconnect() // the client is yours
