import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import { messagesWire } from '../wires/messages-wire.js'
import { requestOf, wireOf } from '../wires/wires.js'
import { type OpenCall, openCall, type ReceivedCall } from './received-call.js'
import { type RenderedReply, render, renderError } from './render.js'
import type { ReplyScript } from './reply-script.js'

/** Chooses the answer to one call; `callIndex` counts from zero since the last reset. May wait, to hold a call. */
export type Responder = (request: ReceivedCall, callIndex: number) => ReplyScript | Promise<ReplyScript>

/** A server on 127.0.0.1 that speaks the wire formats of AI providers and does what it is told. */
export interface Provider {
  /** Base URL without a trailing slash, for an SDK's `baseURL`. The end of the path tells the API, any prefix is served. */
  url: string
  /** Requests received since the start or the last reset, whatever became of them. */
  readonly calls: number
  /** The same requests, in the order of arrival. */
  readonly requests: readonly ReceivedCall[]
  /** Sets the answer of all calls that arrive from now on. @default a good answer, different for every call */
  reply(script: ReplyScript | Responder): void
  /** Resolves with the next call that arrives after this one was made. Rejects on reset and stop. */
  nextCall(): Promise<ReceivedCall>
  /** Resolves as soon as `count` calls have arrived, those before included. Rejects on reset and stop. */
  waitForCalls(count: number): Promise<readonly ReceivedCall[]>
  /** Back to the state after the start: the default answer, no calls, connections still being answered are reset. */
  reset(): void
  /** Closes the port and every connection. */
  stop(): Promise<void>
}

/** Options of {@link startProvider}. */
export interface StartProviderOptions {
  /** How many of the `requests` are remembered, the latest. @default all: a test asks for any of them */
  readonly keep?: number
}

/** The largest request body the API takes, in bytes; above it the answer is 413. */
const bodyLimit = 32 * 1024 * 1024

const notAnObject = { message: 'The request body is not valid JSON: an object is required' }

/**
 * Starts a provider on a free port. It speaks every API of `wires.ts`, each in its own shape: JSON, a stream
 * when the request asks for one, errors. A body the API would refuse gets its 400, before any script.
 * Credentials and version headers are recorded, not checked.
 */
export async function startProvider(options: StartProviderOptions = {}): Promise<Provider> {
  const { keep = Number.POSITIVE_INFINITY } = options
  let calls = 0
  let requests: ReceivedCall[] = []
  let open = new Set<OpenCall>()
  let responder: Responder = () => ({})
  const waiters: Waiter[] = []

  // Imported here and not at the top, where it would be half of the start-up time of every worker, which needs none of
  // it.
  const { fastify } = await import('fastify')
  const app = fastify({ bodyLimit, forceCloseConnections: true })
  // As text, so that malformed JSON is a received call with the API's own answer.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))

  app.setErrorHandler((error: { statusCode?: number; message: string }, request, reply) => {
    const status = error.statusCode ?? 500
    const { message } = error
    const wire = wireOf(request.url) ?? messagesWire
    sendError(reply, renderError(wire, status, status === 413 ? {} : { error: { message } }))
  })
  app.setNotFoundHandler((_request, reply) => sendError(reply, renderError(messagesWire, 404)))

  app.post('*', async (request, reply) => {
    const { headers, url: path } = request
    const wire = wireOf(path)
    if (!wire) return sendError(reply, renderError(messagesWire, 404))
    const call = openCall({ index: calls++, path, headers, rawBody: String(request.body ?? '') }, reply.raw)
    requests.push(call.received)
    if (requests.length > keep) requests.shift()
    open.add(call)
    void call.closed.then(() => open.delete(call))
    const script = responder
    for (const waiter of waiters.splice(0)) waiter.arrived(call.received)

    const asked = requestOf(wire, path, call.received.body)
    const refusal = asked ? wire.refusal(asked) : notAnObject
    if (!asked || refusal) return sendError(reply, renderError(wire, 400, { error: refusal }))
    reply.hijack()
    try {
      const chosen = await script(call.received, call.received.index)
      await answer(call, chosen, await render(wire, chosen, asked, call.received.index + 1))
    } catch (error) {
      if (call.signal.aborted) return
      // A responder that throws is a mistake in the test: it must not look like a provider that hangs.
      const mistake = { message: `The responder: ${error}` }
      const { status, headers, chunks } = renderError(wire, 500, { error: mistake })
      call.response.writeHead(status, headers).end(Buffer.concat(chunks))
    }
  })

  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo

  function endAll(reason: string): void {
    for (const waiter of waiters.splice(0)) waiter.rejected(new Error(reason))
    for (const call of open) call.drop()
    open = new Set()
  }

  function wait<T>(use: (call: ReceivedCall, again: () => void) => T | undefined): Promise<T> {
    const promise = new Promise<T>((resolve, reject) => {
      const waiter: Waiter = {
        arrived(call) {
          const result = use(call, () => waiters.push(waiter))
          if (result !== undefined) resolve(result)
        },
        rejected: reject,
      }
      waiters.push(waiter)
    })
    // A test that no longer waits must not fail through the reset in its afterEach.
    promise.catch(() => {})
    return promise
  }

  return {
    url: `http://127.0.0.1:${port}`,
    get calls() {
      return calls
    },
    get requests() {
      return requests
    },
    reply(script) {
      responder = typeof script === 'function' ? script : () => script
    },
    nextCall: () => wait((call) => call),
    waitForCalls(count) {
      if (calls >= count) return Promise.resolve(requests.slice(0, count))
      return wait((_call, again) => (calls >= count ? requests.slice(0, count) : void again()))
    },
    reset() {
      endAll('The provider was reset')
      requests = []
      calls = 0
      responder = () => ({})
    },
    async stop() {
      endAll('The provider was stopped')
      await app.close()
    },
  }
}

interface Waiter {
  arrived(call: ReceivedCall): void
  rejected(reason: Error): void
}

/** Carries out a script on a connection. Rejects when the call ends meanwhile. */
async function answer(call: OpenCall, script: ReplyScript, reply: RenderedReply): Promise<void> {
  const { response, signal } = call
  const { status, headers, chunks } = reply
  if (script.latencyMs) await delay(script.latencyMs, undefined, { signal })
  if (script.drop === 'before-headers') return call.drop()
  if (script.hang === true) return

  signal.throwIfAborted()
  response.writeHead(status, headers)
  response.flushHeaders()
  const partial = script.drop === 'mid-body' || script.hang === 'mid-body'
  const sent = partial ? chunks.slice(0, Math.ceil(chunks.length / 2)) : chunks
  for (const [index, chunk] of sent.entries()) {
    if (index > 0 && script.chunkDelayMs) await delay(script.chunkDelayMs, undefined, { signal })
    await script.beforeChunk?.(index, sent.length)
    signal.throwIfAborted()
    if (!response.write(chunk)) await once(response, 'drain', { signal })
  }
  if (script.drop === 'mid-body') return call.drop('after-flush')
  if (!partial) response.end()
}

/** Answers outside of any script, through the framework. */
function sendError(reply: FastifyReply, { status, headers, chunks }: RenderedReply) {
  return reply.code(status).headers(headers).send(Buffer.concat(chunks))
}
