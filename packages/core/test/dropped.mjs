// What a caller keeps of streams it has dropped unread, on a signal that lives long. Prints counts; run with --expose-gc.
import { getEventListeners } from 'node:events'
import { createIdem } from '../dist/index.js'
import { plainDialect } from './plain-dialect.mjs'

const STREAMS = 100

const idem = createIdem({
  tuning: { abandonGraceMs: 1 },
})
const shutdown = new AbortController()
let cancelled = 0

/** Its answer never ends, and nobody reads it. */
const drop = (about) =>
  idem.exchange({
    dialect: plainDialect(() => 'running'),
    request: {
      url: 'http://test/',
      method: 'POST',
      headers: new Headers({ authorization: 'key' }),
      body: JSON.stringify({ about }),
      signal: shutdown.signal,
    },
    async send({ signal }) {
      signal.addEventListener('abort', () => cancelled++)
      const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    },
  })

for (let index = 0; index < STREAMS; index++) await drop(String(index))
const listening = getEventListeners(shutdown.signal, 'abort').length
for (let turn = 0; turn < 50 && cancelled < STREAMS; turn++) {
  global.gc()
  await new Promise((resolve) => setTimeout(resolve, 20))
}
const left = getEventListeners(shutdown.signal, 'abort').length
process.stdout.write(JSON.stringify({ streams: STREAMS, listening, left, cancelled }))
process.exit()
