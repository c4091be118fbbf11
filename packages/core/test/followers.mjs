// What a thousand followers of one stream of 1 MB cost this process. Prints bytes; run with --expose-gc.
import { createIdem } from '../dist/index.js'
import { plainDialect } from './plain-dialect.mjs'

const FOLLOWERS = 1_000
const PIECE = new Uint8Array(16 * 1024).fill(120)
const PIECES = 64

const idem = createIdem()
let upstream
/** Until then the end is not read: after the last event idem waits for only a moment. */
let isLast = false
const ask = () =>
  idem.exchange({
    dialect: plainDialect(() => (isLast ? 'whole' : 'running')),
    request: {
      url: 'http://test/',
      method: 'POST',
      headers: new Headers({ authorization: 'key' }),
      body: '{}',
    },
    async send() {
      const body = new ReadableStream({
        start(controller) {
          upstream = controller
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    },
  })

/** The memory in use. Buffers are freed in the turn after a collection. */
async function memory() {
  global.gc()
  await new Promise((resolve) => setTimeout(resolve, 20))
  global.gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const before = await memory()
const readers = (await Promise.all(Array.from({ length: FOLLOWERS }, ask))).map((response) =>
  response.body.getReader(),
)
let most = 0
let read = 0
for (let piece = 0; piece < PIECES; piece++) {
  isLast = piece === PIECES - 1
  upstream.enqueue(new Uint8Array(PIECE))
  if (isLast) upstream.close()
  // All but a few keep up. Those few slow nobody down, and cost nothing.
  for (const reader of readers.slice(5)) {
    const { value } = await reader.read()
    read += value.byteLength
  }
  if (piece % 8 === 7) most = Math.max(most, await memory())
}
for (const reader of readers)
  for (let next = await reader.read(); !next.done; next = await reader.read()) read += next.value.byteLength
process.stdout.write(
  JSON.stringify({ grown: most - before, read, streamed: PIECES * PIECE.byteLength, followers: FOLLOWERS }),
)
