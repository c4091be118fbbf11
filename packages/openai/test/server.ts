import { createIdem, type Idem, type IdemOptions } from '@idem/core'
import { type Provider, type ReceivedCall, type ReplyScript, startProvider } from '@idem/testing'
import { type ClientOptions, OpenAI } from 'openai'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { openaiDialects } from '../src/index.js'
import { responsesStreams } from '../src/responses/streams.js'
import { bytesOf, chunksOf } from './chat-wire.js'
import { completion, text } from './completions.js'
import { bothWays } from './oracle.js'
import { message, response, text as responseText } from './responses.js'

export interface Reply {
  readonly status?: number
  readonly type?: string
  readonly body: string | Uint8Array
  readonly delayMs?: number
  /** Whether the connection breaks in the middle. */
  readonly drop?: boolean
}

type Script = (request: ReceivedCall, index: number) => Reply

/** The provider, with answers made by this package. */
export class Server {
  script: Script = usual
  #provider!: Provider

  get url(): string {
    return `${this.#provider.url}/v1`
  }

  get requests(): readonly ReceivedCall[] {
    return this.#provider.requests
  }

  get calls(): number {
    return this.#provider.calls
  }

  /** The next call that comes. */
  nextCall(): Promise<ReceivedCall> {
    return this.#provider.nextCall()
  }

  reset(): void {
    this.script = usual
    this.#provider.reset()
    this.#provider.reply((request, index) => scripted(this.script(request, index)))
  }

  async start(): Promise<void> {
    this.#provider = await startProvider()
  }

  stop(): Promise<void> {
    return this.#provider.stop()
  }
}

function scripted({ status, type, body, delayMs, drop }: Reply): ReplyScript {
  return {
    // As bytes, so that it comes in two pieces that are cut anywhere.
    body: Buffer.from(body),
    latencyMs: delayMs,
    chunkDelayMs: 2,
    ...(status !== undefined && { status }),
    headers: { 'x-request-id': 'req_1', ...(type !== undefined && { 'content-type': type }) },
    ...(drop && { drop: 'mid-body' }),
  }
}

/** A server for this file, fresh for each test. */
export function useServer(): Server {
  const server = new Server()
  beforeAll(() => server.start())
  beforeEach(() => server.reset())
  afterAll(() => server.stop())
  return server
}

/** A real SDK client over idem, on the server. */
export function clientOf(
  server: Server,
  options: ClientOptions = {},
  idemOptions: IdemOptions = {},
): { client: OpenAI; idem: Idem } {
  const idem = createIdem({ dialects: openaiDialects, ...idemOptions })
  return { idem, client: new OpenAI({ baseURL: server.url, apiKey: 'key', fetch: idem.fetch, ...options }) }
}

export const json = (body: unknown, more: Partial<Reply> = {}): Reply => ({
  body: JSON.stringify(body),
  ...more,
})
export const sse = (body: string | Uint8Array, more: Partial<Reply> = {}): Reply => ({
  body,
  type: 'text/event-stream; charset=utf-8',
  ...more,
})

/** What the server says to each request, with the number of the call in it. */
function usual({ path, body }: ReceivedCall, index: number): Reply {
  const delayMs = 20
  const { pathname } = new URL(path, 'http://x')
  const isStream = body.stream === true
  if (pathname.endsWith('/embeddings')) {
    const usage = { prompt_tokens: 8, total_tokens: 8 }
    const data = [
      { object: 'embedding', index: 0, embedding: Buffer.from(new Float32Array([index, 0.5]).buffer) },
    ]
    const coded = data.map((one) => ({ ...one, embedding: one.embedding.toString('base64') }))
    return json({ object: 'list', data: coded, model: 'text-embedding-3-small', usage }, { delayMs })
  }
  if (pathname.endsWith('/chat/completions')) {
    const { usage, ...rest } = completion([text(`Hé ${index} 👍`)])
    const options = body.stream_options as { include_usage?: boolean } | undefined
    const whole = !isStream || options?.include_usage ? { ...rest, usage } : rest
    return isStream ? sse(bytesOf(chunksOf(whole, 2)), { delayMs }) : json(whole, { delayMs })
  }
  const whole = response([message(responseText(`Hé ${index} 👍`))])
  return isStream ? sse(bothWays(responsesStreams).expand(whole), { delayMs }) : json(whole, { delayMs })
}
