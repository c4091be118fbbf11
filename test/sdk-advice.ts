import { AsyncLocalStorage } from 'node:async_hooks'
import { createAnthropic } from '@ai-sdk/anthropic'
import { Anthropic } from '@anthropic-ai/sdk'
import { idempotency, messagesDialect, withIdem as withIdemOfAnthropic } from '@idem/anthropic'
import { type CallOptions, createIdem, type Idem, type IdemRequestInit } from '@idem/core'
import { openaiDialects, withIdem as withIdemOfOpenAI } from '@idem/openai'
import { ChatAnthropic } from '@langchain/anthropic'
import { ChatOpenAI } from '@langchain/openai'
import { generateText } from 'ai'
import OpenAI from 'openai'

/** The options of one call. */
export interface Asked {
  readonly idem?: CallOptions
  readonly key?: string
  readonly signal?: AbortSignal
}

/** Asks once. The result differs from that of any other answer. */
export type Ask = (asked?: Asked) => Promise<string>

/** A row of the table in docs/sdks.md. */
export interface Row {
  /** The first cell of the row. */
  readonly name: string
  /** A client whose calls wait this long for an answer, ms, and are not retried. */
  open(url: string, idem: Idem, timeoutMs?: number): Ask
}

const dialects = [messagesDialect, ...openaiDialects]

/** With so little grace, a call that is taken for aborted is cancelled at once. */
export function newIdem(): Idem {
  return createIdem({ dialects, tuning: { abandonGraceMs: 1 }, logger: { warn() {} } })
}

const question = { role: 'user' as const, content: 'What is idempotency?' }
const claude = { model: 'claude-opus-4-5', max_tokens: 64, messages: [question] }
const gpt = { model: 'gpt-5.1', messages: [question] }

const once = { apiKey: 'key', maxRetries: 0 }

function anthropic(put: (client: Anthropic, idem: Idem) => Anthropic): Row['open'] {
  return (baseURL, idem, timeout) => {
    const { messages } = put(new Anthropic({ baseURL, ...once, ...(timeout && { timeout }) }), idem)
    return async ({ key: idempotencyKey, ...asked } = {}) =>
      (await messages.create(claude, { ...(idempotencyKey && { idempotencyKey }), ...asked })).id
  }
}

/** A key as a header, for SDKs that have no other place for it. */
function keyHeader(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { 'Idempotency-Key': key }
}

/** Options for a call through a library that passes none to its fetch: the code around the call sets them. */
const asking = new AsyncLocalStorage<CallOptions | undefined>()

function fetchAround(idem: Idem): typeof fetch {
  return (url, init) => idem.fetch(url, { ...init, idem: asking.getStore() } as IdemRequestInit)
}

export const rows: readonly Row[] = [
  {
    name: 'Anthropic SDK, `withIdem`',
    open: anthropic((client, idem) => withIdemOfAnthropic(client, idem)),
  },
  {
    name: 'Anthropic SDK, middleware',
    open: anthropic((client, idem) => client.withOptions({ middleware: [idempotency(idem)] })),
  },
  {
    name: 'Anthropic SDK, `idem.fetch`',
    open(baseURL, idem, timeout) {
      const { messages } = new Anthropic({ baseURL, ...once, fetch: idem.fetch, ...(timeout && { timeout }) })
      return async ({ idem, key, signal } = {}) => {
        const options = { fetchOptions: { idem }, headers: keyHeader(key), signal }
        return (await messages.create(claude, options)).id
      }
    },
  },
  {
    name: 'OpenAI SDK, `withIdem`',
    open(url, idem, timeout) {
      const plain = new OpenAI({ baseURL: `${url}/v1`, ...once, ...(timeout && { timeout }) })
      const { completions } = withIdemOfOpenAI(plain, idem).chat
      return async ({ key: idempotencyKey, ...asked } = {}) =>
        (await completions.create(gpt, { ...(idempotencyKey && { idempotencyKey }), ...asked })).id
    },
  },
  {
    name: 'OpenAI SDK, `idem.fetch`',
    open(url, idem, timeout) {
      const { completions } = new OpenAI({ baseURL: `${url}/v1`, ...once, fetch: idem.fetch }).chat
      return async ({ idem, key, signal } = {}) => {
        // The timeout of the call: the SDK does not tell its fetch that of the client.
        const options = {
          fetchOptions: { idem },
          headers: keyHeader(key),
          signal,
          ...(timeout && { timeout }),
        }
        return (await completions.create(gpt, options)).id
      }
    },
  },
  {
    name: 'AI SDK',
    open(url, idem, timeout) {
      const provider = createAnthropic({ baseURL: `${url}/v1`, apiKey: 'key', fetch: fetchAround(idem) })
      return async ({ idem, key, signal } = {}) => {
        const request = {
          model: provider('claude-opus-4-5'),
          prompt: question.content,
          maxRetries: 0,
          headers: keyHeader(key),
          abortSignal: timeout ? AbortSignal.timeout(timeout) : signal,
        }
        return (await asking.run(idem, () => generateText(request))).response.id
      }
    },
  },
  {
    name: 'LangChain, `ChatAnthropic`',
    open(anthropicApiUrl, idem, timeout) {
      const clientOptions = { fetch: fetchAround(idem), ...(timeout && { timeout }) }
      const model = new ChatAnthropic({ model: 'claude-opus-4-5', anthropicApiUrl, ...once, clientOptions })
      return async ({ idem, key, signal } = {}) => {
        const options = { headers: keyHeader(key), ...(signal && { signal }) }
        return String((await asking.run(idem, () => model.invoke(question.content, options))).content)
      }
    },
  },
  {
    name: 'LangChain, `ChatOpenAI`',
    open(url, idem, timeout) {
      const configuration = { baseURL: `${url}/v1`, fetch: idem.fetch }
      const model = new ChatOpenAI({ model: 'gpt-5.1', ...once, configuration })
      return async ({ idem, key, signal } = {}) => {
        const options = { fetchOptions: { idem }, headers: keyHeader(key), ...(timeout && { timeout }) }
        return String((await model.invoke(question.content, { options, ...(signal && { signal }) })).content)
      }
    },
  },
  {
    name: 'plain `idem.fetch`',
    open(url, { fetch }, timeout) {
      return async ({ idem, key, signal } = {}) => {
        const response = await fetch(`${url}/v1/messages`, {
          method: 'POST',
          headers: { 'x-api-key': 'key', 'content-type': 'application/json', ...keyHeader(key) },
          body: JSON.stringify(claude),
          signal: timeout ? AbortSignal.timeout(timeout) : (signal ?? null),
          ...(idem && { idem }),
        })
        if (!response.ok) throw new Error(await response.text())
        return response.text()
      }
    },
  },
]
