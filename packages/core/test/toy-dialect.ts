import { randomUUID } from 'node:crypto'
import type { Dialect, HttpAnswer } from '../src/dialect.js'
import type { CallOptions, Idem } from '../src/index.js'

const text = (body: Uint8Array) => new TextDecoder().decode(body)
const bytes = (body: string) => new TextEncoder().encode(body)

/**
 * A provider's protocol as small as one can be: a stream is letters and an `.` at its end, or an `!` for an error; the
 * whole answer is the letters as JSON.
 */
export const toyDialect: Dialect = {
  specVersion: 1,
  door: 'toy',
  matches: () => true,
  identify: ({ stream, ...body }) => ({ body, streaming: stream === true, isSampled: false }),
  credentialHeaders: ['authorization'],
  assess: () => ({ keep: 'store' }),
  errorBody: (error) => error,
  streams: {
    inspect() {
      let last = ''
      return {
        push(piece) {
          last = text(piece).at(-1) ?? last
        },
        get state() {
          return last === '.' ? 'whole' : last === '!' ? 'failed' : 'running'
        },
      }
    },
    fold(answer): HttpAnswer {
      const letters = text(answer.body)
      if (letters.endsWith('!')) return { ...answer, status: 529, body: bytes('{"error":"overloaded"}') }
      return { ...answer, body: bytes(JSON.stringify({ letters: letters.slice(0, -1) })) }
    },
    expand: (answer) => ({ ...answer, body: bytes(`${JSON.parse(text(answer.body)).letters}.`) }),
    ping: '~',
    errorEvent: () => '!',
  },
}

/** One request through idem; `send` makes the upstream call. */
export function askToy(
  idem: Idem,
  payload: { readonly stream: boolean },
  send: (signal: AbortSignal) => Response | Promise<Response>,
  signal?: AbortSignal,
  options?: CallOptions,
): Promise<Response> {
  return idem.exchange({
    dialect: toyDialect,
    request: {
      url: 'http://toy/',
      method: 'POST',
      headers: new Headers({ authorization: 'key' }),
      body: JSON.stringify(payload),
      signal,
    },
    send: async (request) => send(request.signal!),
    options,
  })
}

/** An upstream call, in the hands of the test. */
export class ToyCall {
  readonly signal: AbortSignal
  /** Its request id. */
  readonly id = randomUUID()
  readonly response: Response
  isOver = false
  isCancelled = false
  #controller!: ReadableStreamDefaultController<Uint8Array>

  constructor(signal: AbortSignal) {
    this.signal = signal
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller
      },
      cancel: () => {
        this.isOver = true
        this.isCancelled = true
      },
    })
    signal.addEventListener('abort', () => this.fail(signal.reason))
    this.response = new Response(body, {
      headers: { 'content-type': 'text/event-stream', 'request-id': this.id },
    })
  }

  /** Whether everything that was sent has been read. */
  get isRead(): boolean {
    return this.#controller.desiredSize === 1
  }

  send(piece: string): void {
    this.#controller.enqueue(bytes(piece))
  }

  end(): void {
    this.isOver = true
    this.#controller.close()
  }

  /** Does nothing if it has ended. */
  fail(error: unknown): void {
    if (!this.isOver) this.#controller.error(error)
    this.isOver = true
  }
}
