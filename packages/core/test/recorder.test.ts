import { describe, expect, test } from 'vitest'
import { LiveLog } from '../src/answer/live-log.js'
import { inspector } from '../src/dialect.js'
import { recordAnswer } from '../src/response/recorder.js'
import { deferred } from './tools.js'
import { toyDialect } from './toy-dialect.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const streams = {
  ...toyDialect.streams!,
  inspect: () =>
    inspector(({ data }) => (data === 'last' ? 'whole' : data === 'error' ? 'failed' : undefined)),
}

/** Records a stream; `log` is what callers read meanwhile. */
function recorded(body: ReadableStream<Uint8Array>, limitBytes = 1_000_000) {
  const response = new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  const log = deferred<LiveLog>()
  const answer = recordAnswer(response, {
    streams,
    askedStream: true,
    keepHeaders: [],
    limitBytes,
    begin(head) {
      const begun = new LiveLog(head)
      log.resolve(begun)
      return begun
    },
  })
  return { answer, log: log.promise }
}

const bodyOf = (...pieces: string[]) => new Blob(pieces).stream() as ReadableStream<Uint8Array>

test('a connection that goes on with pings after the last event is closed, and the answer is whole', async () => {
  let isClosed = false
  const events = 'data: a\n\ndata: last\n\n'
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes(events)),
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      if (!isClosed) controller.enqueue(bytes(': ping\n\n'))
    },
    cancel() {
      isClosed = true
    },
  })
  const { body: whole, isUnended } = await recorded(body).answer
  expect(Buffer.from(whole).toString().startsWith(events)).toBe(true)
  expect({ isUnended, isClosed }).toStrictEqual({ isUnended: undefined, isClosed: true })
})

describe.each(['data: error', 'data: error\n', 'data: error\r'])(
  'a stream whose last event is an error that is not closed: %j',
  (end) => {
    const pieces = ['data: a\n\n', end]
    const told = { code: 'IDEM_STREAM_INTERRUPTED', message: expect.stringContaining('with an error') }

    test('is not stored as an answer, and its callers have all of it', async () => {
      const { answer, log } = recorded(bodyOf(...pieces))
      await expect(answer).rejects.toMatchObject(told)
      expect(Buffer.from((await log).bytes()).toString()).toBe(pieces.join(''))
    })

    test('is an error for the one caller of an answer over the limit, after all of it', async () => {
      const cursor = (await recorded(bodyOf(...pieces), 4).log).read()
      const text: string[] = []
      const readAll = async () => {
        for (let piece = await cursor.next(); piece; piece = await cursor.next()) {
          text.push(Buffer.from(piece).toString())
        }
      }
      await expect(readAll()).rejects.toMatchObject(told)
      expect(text.join('')).toBe(pieces.join(''))
    })
  },
)
