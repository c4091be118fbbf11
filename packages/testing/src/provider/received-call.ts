import type { IncomingHttpHeaders, ServerResponse } from 'node:http'

/** A request as the provider received it. */
export interface ReceivedCall {
  /** Place among the calls since the last reset, from zero. */
  readonly index: number
  /** Path and query as sent. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The parsed JSON; undefined when it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies they have written themselves
  readonly body: any
  /** The body as it came, to compare a try with its retry. */
  readonly rawBody: string
  /** `process.hrtime.bigint()` of the arrival: nanoseconds, to be compared inside this process only. */
  readonly at: bigint
  /**
   * `open`: not answered yet. `finished`: the whole answer was handed to the network. `aborted`: the
   * client closed the connection before. `dropped`: the provider closed it before, by script, reset or stop.
   */
  readonly state: 'open' | 'finished' | 'aborted' | 'dropped'
  /** Resolves when the client closes the connection before the end of the answer; pending for ever otherwise. */
  readonly closedByClient: Promise<void>
  /** Resolves when nothing more will happen to this call, with its last state. */
  readonly done: Promise<'finished' | 'aborted' | 'dropped'>
}

/** The provider's side of a call. */
export interface OpenCall {
  received: ReceivedCall
  response: ServerResponse
  /** Aborts when the connection is gone or the answer is complete. */
  signal: AbortSignal
  closed: Promise<void>
  /** Ends the connection: with a reset, or `after-flush` once the bytes written so far are on their way. */
  drop(when?: 'after-flush'): void
}

/** Records a call and follows the connection to its end. */
export function openCall(
  request: Pick<ReceivedCall, 'index' | 'path' | 'headers' | 'rawBody'>,
  response: ServerResponse,
): OpenCall {
  const ended = new AbortController()
  let state: ReceivedCall['state'] = 'open'
  let dropping = false

  const done = new Promise<'finished' | 'aborted' | 'dropped'>((resolve) => {
    response.once('close', () => {
      const last = dropping ? 'dropped' : response.writableFinished ? 'finished' : 'aborted'
      state = last
      ended.abort()
      resolve(last)
    })
  })
  const closedByClient = new Promise<void>((resolve) => {
    void done.then((last) => last === 'aborted' && resolve())
  })
  const closed = done.then(() => {})

  const received: ReceivedCall = {
    ...request,
    body: parsed(request.rawBody),
    at: process.hrtime.bigint(),
    get state() {
      return state
    },
    closedByClient,
    done,
  }

  return {
    received,
    response,
    signal: ended.signal,
    closed,
    drop(when) {
      if (state !== 'open') return
      dropping = true
      const socket = response.socket
      // A reset may overtake bytes on their way, so what was half sent is ended with a plain close.
      if (when === 'after-flush') socket?.write('', () => socket.destroy())
      else socket?.resetAndDestroy()
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
