import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createIdem, type Idem, type IdemOptions } from '@idem/core'
import { type ClientOptions, OpenAI } from 'openai'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { openaiDialects } from '../src/index.js'
import { responsesStreams } from '../src/responses/streams.js'
import { bytesOf, chunksOf } from './chat-wire.js'
import { completion, text } from './completions.js'
import { bothWays } from './oracle.js'
import { message, response, text as responseText } from './responses.js'

export interface Request {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Record<string, unknown>
}

export interface Reply {
  readonly status?: number
  readonly type?: string
  readonly body: string | Uint8Array
  readonly delayMs?: number
  /** Whether the connection breaks after the body. */
  readonly drop?: boolean
}

type Script = (request: Request, index: number) => Reply

/** A provider that speaks OpenAI's wire, on 127.0.0.1. */
export class Server {
  readonly requests: Request[] = []
  script: Script = usual
  readonly #http = createServer(async (incoming, outgoing) => {
    const pieces: Buffer[] = []
    for await (const piece of incoming) pieces.push(piece)
    const body = JSON.parse(Buffer.concat(pieces).toString() || '{}')
    const request = { path: incoming.url!, headers: incoming.headers, body }
    await answer(outgoing, this.script(request, this.requests.push(request) - 1))
  })

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}/v1`
  }

  get calls(): number {
    return this.requests.length
  }

  reset(): void {
    this.requests.length = 0
    this.script = usual
  }

  async start(): Promise<void> {
    await once(this.#http.listen(0, '127.0.0.1'), 'listening')
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections()
    await new Promise((closed) => this.#http.close(closed))
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
function usual({ path, body }: Request, index: number): Reply {
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

async function answer(outgoing: ServerResponse, { status = 200, type, body, delayMs = 0, drop }: Reply) {
  await sleep(delayMs)
  outgoing.writeHead(status, { 'content-type': type ?? 'application/json', 'x-request-id': 'req_1' })
  const bytes = Buffer.from(body)
  // In the middle, and of a character too.
  const half = Math.floor(bytes.length / 2)
  outgoing.write(bytes.subarray(0, half))
  await sleep(2)
  if (!drop) outgoing.end(bytes.subarray(half))
  else outgoing.write(bytes.subarray(half), () => outgoing.destroy())
}
