import { afterAll, beforeAll, beforeEach } from 'vitest'
import type { Dialect } from '../src/dialect.js'
import { createIdem, type IdemOptions } from '../src/index.js'
import { EchoServer } from './echo-server.js'
import { toyDialect } from './toy-dialect.js'

/** The toy dialect, at the paths under /ai alone. */
export const aiDialect: Dialect = {
  ...toyDialect,
  matches: ({ url }) => new URL(url).pathname.startsWith('/ai/'),
}

/** A server for this file that has received nothing when a test begins. */
export function useEchoServer(): { readonly server: EchoServer } {
  const holder = {} as { server: EchoServer }
  beforeAll(async () => {
    holder.server = await new EchoServer().start()
  })
  beforeEach(() => void holder.server.received.splice(0))
  afterAll(() => holder.server.stop())
  return holder
}

/** The calls of these tests show no credential, so they share a scope as one user's calls would. */
export const oneScope = () => ({ scope: 'test' })

/** An idem, its warnings, and its fetch, which takes any arguments. */
export function fetchingIdem(options: IdemOptions = {}) {
  const warnings: string[] = []
  const logger = { warn: (line: string) => warnings.push(line) }
  const idem = createIdem({ dialects: [aiDialect], logger, policy: oneScope, ...options })
  const ask = async (...args: readonly unknown[]) => {
    const response = await idem.fetch(...(args as [string]))
    return { response, text: await response.text() }
  }
  return { idem, ask, warnings }
}

export const json = '{"prompt":"Größe"}'
export const headers = { 'content-type': 'application/json' }
export const post = { method: 'POST', headers, body: json }
export const bytes = () => new TextEncoder().encode(json)

export function streamOf(piece: unknown): ReadableStream {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(piece)
      controller.close()
    },
  })
}
