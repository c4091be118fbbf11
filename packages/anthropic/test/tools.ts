import { Anthropic, type ClientOptions, type Middleware } from '@anthropic-ai/sdk'
import { createIdem, type Idem, type IdemOptions } from '@idem/core'
import { type Provider, startProvider } from '@idem/testing'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { idempotency } from '../src/index.js'

export const params = {
  model: 'claude-opus-4-5',
  max_tokens: 256,
  messages: [{ role: 'user' as const, content: 'What is idempotency?' }],
}

export const streamed = { ...params, stream: true as const }

/** A provider for this file, fresh for each test. */
export function useProvider(): { readonly provider: Provider } {
  const holder = {} as { provider: Provider }
  beforeAll(async () => {
    holder.provider = await startProvider()
  })
  beforeEach(() => holder.provider.reset())
  afterAll(() => holder.provider.stop())
  return holder
}

/** A real SDK client over idem, on the provider. */
export function clientOf(
  provider: Provider,
  options: ClientOptions = {},
  idemOptions: IdemOptions = {},
): { client: Anthropic; idem: Idem } {
  const idem = createIdem(idemOptions)
  const middleware = [...(options.middleware ?? []), idempotency(idem)]
  return { idem, client: new Anthropic({ baseURL: provider.url, apiKey: 'key-a', ...options, middleware }) }
}

/** Middleware that counts the SDK's attempts. */
export function counter(): { count: number; readonly middleware: Middleware } {
  const counted = {
    count: 0,
    middleware: ((request, next) => {
      counted.count++
      return next(request)
    }) as Middleware,
  }
  return counted
}

/** All bytes of one streamed call. */
export async function bytesOf(client: Anthropic): Promise<string> {
  return (await client.messages.create(streamed).asResponse()).text()
}

/** All events of one streamed call. */
export async function eventsOf(client: Anthropic): Promise<unknown[]> {
  const events: unknown[] = []
  for await (const event of await client.messages.create(streamed)) events.push(event)
  return events
}
