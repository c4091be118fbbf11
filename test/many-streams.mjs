// Ten thousand streams between two owners of handles on one Redis, joined, left and replayed. Prints what is left.
import { getEventListeners } from 'node:events'
import { messagesDialect } from '@idem/anthropic'
import { createIdem } from '@idem/core'
import { ioredisStore } from '@idem/ioredis'
import { Redis } from 'ioredis'

const { REDIS_URL, PREFIX, STREAMS = '10000' } = process.env
const clients = [new Redis(REDIS_URL), new Redis(REDIS_URL)]
const idems = clients.map((client) =>
  createIdem({ store: ioredisStore(client, { prefix: PREFIX }), ttl: 20_000 }),
)
// One signal for all, as of a server that shuts down.
const shutdown = new AbortController()

const event = (name, data) =>
  new TextEncoder().encode(`event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`)
const message = {
  id: 'm',
  type: 'message',
  role: 'assistant',
  model: 'x',
  content: [],
  stop_reason: null,
  usage: {},
}
const events = [
  event('message_start', { message }),
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'x'.repeat(500) } }),
  event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } }),
  event('message_stop', {}),
]
let calls = 0
const turn = () => new Promise((resolve) => setImmediate(resolve))

function ask(idem, about, stream = true) {
  return idem.exchange({
    dialect: messagesDialect,
    request: {
      url: 'http://provider/v1/messages',
      method: 'POST',
      headers: new Headers({ authorization: 'Bearer key' }),
      body: JSON.stringify({ model: 'm', messages: [], about, stream }),
      signal: shutdown.signal,
    },
    timeoutMs: 60_000,
    async send() {
      calls++
      const left = [...events]
      const body = new ReadableStream({
        async pull(controller) {
          await turn()
          const next = left.shift()
          if (next) controller.enqueue(next)
          else controller.close()
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    },
  })
}

/** One stream: an owner, a joiner of the same process, two elsewhere; every third owner leaves. */
async function one(index) {
  const [here, there] = index % 2 === 0 ? idems : [...idems].reverse()
  const owner = ask(here, index)
  const others = [ask(here, index), ask(there, index), ask(there, index, index % 5 !== 0)]
  if (index % 3 === 0) await (await owner).body.cancel()
  else others.push(owner)
  await Promise.all(others.map(async (response) => (await response).text()))
}

/** The memory in use. Garbage that was let go is collected in several turns. */
async function state() {
  for (let turn = 0; turn < 3; turn++) {
    global.gc()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return {
    handles: process.getActiveResourcesInfo().sort(),
    listeners: getEventListeners(shutdown.signal, 'abort').length,
    bytes: heapUsed + arrayBuffers,
  }
}

async function run(from, to) {
  let next = from
  const lane = async () => {
    while (next < to) await one(next++)
  }
  await Promise.all(Array.from({ length: 25 }, lane))
  await settled()
}

/** Waits until nobody is subscribed and nothing is on its way. */
async function settled() {
  do await new Promise((resolve) => setTimeout(resolve, 50))
  while ((await clients[0].call('PUBSUB', 'SHARDCHANNELS', `${PREFIX}*`)).length > 0)
}

await run(0, 500)
const before = await state()
await run(500, 500 + Number(STREAMS))
const after = await state()

const keys = await clients[0].keys(`${PREFIX}*`)
const lives = await Promise.all(keys.map((key) => clients[0].pttl(key)))
const stats = idems.map((idem) => idem.stats())
await Promise.all(idems.map((idem) => idem.close()))
for (const client of clients) client.disconnect()
process.stdout.write(
  JSON.stringify({
    before,
    after,
    calls,
    stats,
    keys: keys.length,
    undying: lives.filter((ms) => ms === -1).length,
  }),
)
