import { Anthropic } from '@anthropic-ai/sdk'
import { idempotency, messagesDialect } from '@idem/anthropic'
import { createIdem, type Idem } from '@idem/core'
import { openaiDialects } from '@idem/openai'
import { type Provider, startProvider } from '@idem/testing'
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

/** Two users of one gateway: both send the same key, and another header tells them apart. */
const TELLING = [
  ['x-api-key', 'sk-anna', 'sk-bert'],
  ['api-key', 'sk-anna', 'sk-bert'],
  ['cookie', 'session=anna', 'session=bert'],
  ['proxy-authorization', 'Basic anna', 'Basic bert'],
  ['x-portkey-virtual-key', 'anna', 'bert'],
  ['x-portkey-config', 'pc-1', 'pc-2'],
  ['x-portkey-metadata', '{"_user":"anna"}', '{"_user":"bert"}'],
  ['helicone-auth', 'Bearer anna', 'Bearer bert'],
  ['helicone-user-id', 'anna', 'bert'],
  ['cf-aig-authorization', 'Bearer anna', 'Bearer bert'],
  ['x-litellm-api-key', 'anna', 'bert'],
  ['x-goog-api-key', 'anna', 'bert'],
  ['x-goog-user-project', 'p1', 'p2'],
  ['ocp-apim-subscription-key', 'anna', 'bert'],
  ['x-amz-security-token', 'anna', 'bert'],
  ['x-user-id', 'anna', 'bert'],
  ['x-forwarded-user', 'anna', 'bert'],
  ['x-forwarded-for', '10.0.0.1', '10.0.0.2'],
  ['x-tenant-id', 't1', 't2'],
  ['openai-organization', 'org-1', 'org-2'],
  ['openai-project', 'proj-1', 'proj-2'],
  ['anthropic-workspace-id', 'w1', 'w2'],
  ['accept-language', 'de', 'fr'],
  ['x-model-override', 'm1', 'm2'],
] as const

const HARMLESS = [
  ['user-agent', 'app/1', 'app/2'],
  ['accept-encoding', 'gzip', 'br'],
  ['x-stainless-lang', 'js', 'python'],
  ['x-stainless-os', 'Linux', 'MacOS'],
  ['x-stainless-runtime-version', 'v20', 'v22'],
  ['x-stainless-helper-method', 'stream', 'parse'],
  ['traceparent', '00-1-2-01', '00-3-4-01'],
  ['tracestate', 'a=1', 'a=2'],
  ['baggage', 'a=1', 'a=2'],
  ['b3', '1-2-1', '3-4-1'],
  ['sentry-trace', '1-2-1', '3-4-1'],
  ['x-datadog-trace-id', '1', '2'],
  ['x-amzn-trace-id', 'Root=1', 'Root=2'],
  ['x-cloud-trace-context', '1/2', '3/4'],
  ['x-request-id', '1', '2'],
  ['x-client-request-id', '1', '2'],
  ['x-correlation-id', '1', '2'],
] as const

const question = { role: 'user' as const, content: 'What is idempotency?' }
const claude = { model: 'claude-opus-4-5', max_tokens: 64, messages: [question] }

type Ask = (idem: Idem, url: string, defaultHeaders: Record<string, string>) => Promise<unknown>

const doors: [string, Ask][] = [
  [
    'Messages by middleware',
    (idem, baseURL, defaultHeaders) =>
      new Anthropic({
        baseURL,
        apiKey: 'unused',
        defaultHeaders,
        middleware: [idempotency(idem)],
      }).messages.create(claude),
  ],
  [
    'Messages by fetch',
    (idem, baseURL, defaultHeaders) =>
      new Anthropic({ baseURL, apiKey: 'unused', defaultHeaders, fetch: idem.fetch }).messages.create(claude),
  ],
  [
    'Chat by fetch',
    (idem, baseURL, defaultHeaders) =>
      new OpenAI({
        baseURL: `${baseURL}/v1`,
        apiKey: 'unused',
        defaultHeaders,
        fetch: idem.fetch,
      }).chat.completions.create({ model: 'gpt-5.1', messages: [question] }),
  ],
]

let provider: Provider
let idem: Idem
beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(() => {
  provider.reset()
  idem = createIdem({ dialects: [messagesDialect, ...openaiDialects] })
})
afterEach(() => idem.close())
afterAll(() => provider.stop())

describe.each(doors)('two callers with one visible key: %s', (_, ask) => {
  test.each(TELLING)('that differ in %s are never given one answer', async (name, one, other) => {
    await Promise.all([ask(idem, provider.url, { [name]: one }), ask(idem, provider.url, { [name]: other })])
    await ask(idem, provider.url, { [name]: one })
    expect(provider.calls).toBe(2)
  })

  test.each(HARMLESS)('that differ in %s share one', async (name, one, other) => {
    await Promise.all([ask(idem, provider.url, { [name]: one }), ask(idem, provider.url, { [name]: other })])
    await ask(idem, provider.url, {})
    expect(provider.calls).toBe(1)
  })
})
