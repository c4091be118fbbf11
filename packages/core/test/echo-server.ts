import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { brotliCompressSync, gzipSync } from 'node:zlib'

/** What the server received. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** As latin1, so that every byte shows. */
  readonly body: string
}

/** Headers that each answer has: those of the answer, and those of one caller or one moment. */
export const HEADERS = {
  'content-type': 'application/json',
  date: 'Thu, 01 Jan 2026 00:00:00 GMT',
  'request-id': 'req_1',
  'set-cookie': ['a=1; Path=/', 'b=2'],
  'x-ratelimit-remaining-tokens': '7',
  'anthropic-organization-id': 'org_1',
  'retry-after': '3',
  'x-private': 'mine',
}

/** A server that answers as the last parts of the path ask, and reports what it received. */
export class EchoServer {
  readonly received: Received[] = []
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  #onArrival: (() => void) | undefined
  url = ''

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address() as { port: number }
    this.url = `http://127.0.0.1:${address.port}`
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Resolves when the next request is here. */
  arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#onArrival = resolve
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = request
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk)
    } catch {
      return // The caller left while it was sending.
    }
    this.received.push({ method, path, headers, body: Buffer.concat(chunks).toString('latin1') })
    this.#onArrival?.()
    const [what = '', value = ''] = new URL(path, this.url).pathname.split('/').slice(2)
    const text = JSON.stringify({ what, length: Buffer.concat(chunks).byteLength })
    switch (what) {
      case 'status': {
        const status = Number(value)
        const isBare = [204, 205, 304].includes(status)
        return void response.writeHead(status, `Reason ${value}`, HEADERS).end(isBare ? undefined : text)
      }
      case 'redirect':
        return void response.writeHead(Number(value), { ...HEADERS, location: '../echo?signature=s3' }).end()
      case 'gzip':
        return void response.writeHead(200, { ...HEADERS, 'content-encoding': 'gzip' }).end(gzipSync(text))
      case 'br':
        return void response
          .writeHead(200, { ...HEADERS, 'content-encoding': 'br' })
          .end(brotliCompressSync(text))
      case 'stream':
        return void response
          .writeHead(200, 'Streamed', { ...HEADERS, 'content-type': 'text/event-stream' })
          .end('abc.')
      case 'half-stream':
        return void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('ab')
      case 'no-headers':
        return
      case 'half':
        return void response.writeHead(200, HEADERS).write(text.slice(0, 5))
      case 'cut':
        return void response
          .writeHead(200, { ...HEADERS, 'content-length': '99' })
          .write(text.slice(0, 5), () => response.destroy())
      case 'reset':
        return void response.destroy()
      default:
        return void response.writeHead(200, HEADERS).end(text)
    }
  }
}
