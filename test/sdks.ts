import { readFileSync } from 'node:fs'
import { createAnthropic } from '@ai-sdk/anthropic'
import { Anthropic } from '@anthropic-ai/sdk'
import { idempotency, messagesDialect } from '@idem/anthropic'
import { type CallOptions, createIdem, type Idem, type IdemOptions } from '@idem/core'
import { openaiDialects } from '@idem/openai'
import type { ReplyScript } from '@idem/testing'
import { generateText, streamText } from 'ai'
import OpenAI from 'openai'
import { bedrock, foundry, vertex } from '../packages/testing/test/clouds.js'

/** One way to ask for an answer. Its result, the id and the text say, differs from that of any other answer. */
export type Ask = (options?: {
  readonly idem?: CallOptions
  readonly signal?: AbortSignal
}) => Promise<string>

/** An SDK over its own idem. */
export interface Opened {
  readonly idem: Idem
  readonly whole: Ask
  /** Absent where the API has no streams. */
  readonly stream?: Ask
}

export interface ClientOptions {
  /** How long the client waits for an answer to begin, ms, before it asks again. */
  readonly timeout?: number
  readonly maxRetries?: number
}

export interface Sdk {
  readonly name: string
  readonly version: string
  /** Whether it has a timeout of its own and retries after it. Otherwise its caller ends the wait and asks again. */
  readonly retries: boolean
  open(url: string, options?: ClientOptions): Opened
  /** What the provider must answer to this SDK, where that is not its usual answer. */
  readonly answer?: (call: number) => ReplyScript
}

/** Read from its folder: not every package lets its package.json be imported. */
function versionOf(name: string, folder = 'test'): string {
  const path = new URL(`../${folder}/node_modules/${name}/package.json`, import.meta.url)
  return JSON.parse(readFileSync(path, 'utf8')).version
}

const quiet: IdemOptions = { logger: { warn() {} } }
const question = { role: 'user' as const, content: 'What is idempotency?' }
const claude = { model: 'claude-opus-4-5', max_tokens: 64, messages: [question] }
const gpt = { model: 'gpt-5.1', messages: [question] }

type Messages = Pick<Anthropic['messages'], 'create' | 'stream'>

/** A client of the Messages API, on whichever backend. */
function messages(idem: Idem, api: Messages): Opened {
  return {
    idem,
    async whole({ idem, signal } = {}) {
      const { id, content } = await api.create(claude, { idem, signal })
      return JSON.stringify([id, content])
    },
    async stream({ idem, signal } = {}) {
      const { id, content } = await api.stream(claude, { idem, signal }).finalMessage()
      return JSON.stringify([id, content])
    },
  }
}

/** A cloud shows no credential, or one that says little, so the scope is given. */
function cloud(make: (url: string, options: object) => { messages: Messages }): Sdk['open'] {
  return (url, options) => {
    const idem = createIdem(quiet)
    const { messages: api } = make(url, { ...options, middleware: [idempotency(idem, { scope: 'team' })] })
    return messages(idem, api)
  }
}

function openai(open: (client: OpenAI) => Omit<Opened, 'idem'>): Sdk['open'] {
  return (baseURL, options) => {
    const idem = createIdem({ ...quiet, dialects: openaiDialects })
    return {
      idem,
      ...open(new OpenAI({ baseURL: `${baseURL}/v1`, apiKey: 'key', fetch: idem.fetch, ...options })),
    }
  }
}

const chat = openai(({ chat: { completions } }) => ({
  async whole({ idem, signal } = {}) {
    const { id, choices } = await completions.create(gpt, { fetchOptions: { idem }, signal })
    return JSON.stringify([id, choices[0]?.message.content])
  },
  async stream({ idem, signal } = {}) {
    const streamed = { ...gpt, stream: true, stream_options: { include_usage: true } } as const
    const { id, choices } = await completions
      .stream(streamed, { fetchOptions: { idem }, signal })
      .finalChatCompletion()
    return JSON.stringify([id, choices[0]?.message.content])
  },
}))

const responses = openai((client) => ({
  async whole({ idem, signal } = {}) {
    const request = { model: 'gpt-5.1', input: question.content }
    const { id, output_text } = await client.responses.create(request, { fetchOptions: { idem }, signal })
    return JSON.stringify([id, output_text])
  },
  async stream({ idem, signal } = {}) {
    const request = { model: 'gpt-5.1', input: question.content }
    const stream = client.responses.stream(request, { fetchOptions: { idem }, signal })
    const { id, output_text } = await stream.finalResponse()
    return JSON.stringify([id, output_text])
  },
}))

const embeddings = openai((client) => ({
  async whole({ idem, signal } = {}) {
    const request = { model: 'text-embedding-3-small', input: question.content }
    return JSON.stringify((await client.embeddings.create(request, { fetchOptions: { idem }, signal })).data)
  },
}))

/** The options of a call do not reach its fetch, but its headers do: the policy reads one. */
function vercel(url: string, { maxRetries }: ClientOptions = {}): Opened {
  const idem = createIdem({
    ...quiet,
    dialects: [messagesDialect],
    policy: ({ headers }) => (headers.has('x-fresh') ? { bypass: true } : undefined),
  })
  const anthropic = createAnthropic({ baseURL: `${url}/v1`, apiKey: 'key', fetch: idem.fetch })
  const request = { model: anthropic('claude-opus-4-5'), prompt: question.content, maxRetries }
  const headersOf = (options: CallOptions | undefined) =>
    options?.bypass ? { headers: { 'x-fresh': '1' } } : {}
  return {
    idem,
    async whole({ idem, signal } = {}) {
      const { text, response } = await generateText({ ...request, ...headersOf(idem), abortSignal: signal })
      return JSON.stringify([response.id, text])
    },
    async stream({ idem, signal } = {}) {
      let failure: unknown
      const onError = ({ error }: { error: unknown }) => {
        failure = error
      }
      const result = streamText({ ...request, ...headersOf(idem), abortSignal: signal, onError })
      let text = ''
      for await (const piece of result.textStream) text += piece
      if (failure) throw failure
      return JSON.stringify([(await result.response).id, text])
    },
  }
}

function plainFetch(url: string): Opened {
  const idem = createIdem({ ...quiet, dialects: [messagesDialect] })
  const ask = async (stream: boolean, options: Parameters<Ask>[0] = {}) => {
    const response = await idem.fetch(`${url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'key', 'content-type': 'application/json' },
      body: JSON.stringify({ ...claude, stream }),
      ...options,
    })
    if (!response.ok) throw Object.assign(new Error(await response.text()), { status: response.status })
    return response.text()
  }
  return { idem, whole: (options) => ask(false, options), stream: (options) => ask(true, options) }
}

const anthropicVersion = versionOf('@anthropic-ai/sdk')
const openaiVersion = versionOf('openai')

function anthropic(open: (idem: Idem) => object, api: (client: Anthropic) => Messages): Sdk['open'] {
  return (baseURL, options) => {
    const idem = createIdem({ ...quiet, dialects: [messagesDialect] })
    return messages(idem, api(new Anthropic({ baseURL, apiKey: 'key', ...open(idem), ...options })))
  }
}

/** Every SDK, on every API it has here. */
export const sdks: readonly Sdk[] = [
  {
    name: '@anthropic-ai/sdk messages, middleware',
    version: anthropicVersion,
    retries: true,
    open: anthropic(
      (idem) => ({ middleware: [idempotency(idem)] }),
      (client) => client.messages,
    ),
  },
  {
    name: '@anthropic-ai/sdk beta.messages, middleware',
    version: anthropicVersion,
    retries: true,
    open: anthropic(
      (idem) => ({ middleware: [idempotency(idem)] }),
      (client) => client.beta.messages as unknown as Messages,
    ),
  },
  {
    name: '@anthropic-ai/sdk messages, idem.fetch',
    version: anthropicVersion,
    retries: true,
    open: anthropic((idem) => ({ fetch: idem.fetch }), forFetch),
  },
  {
    name: '@anthropic-ai/bedrock-sdk',
    version: versionOf('@anthropic-ai/bedrock-sdk', 'packages/testing'),
    retries: true,
    open: cloud(bedrock),
  },
  {
    name: '@anthropic-ai/vertex-sdk',
    version: versionOf('@anthropic-ai/vertex-sdk', 'packages/testing'),
    retries: true,
    open: cloud(vertex),
  },
  {
    name: '@anthropic-ai/foundry-sdk',
    version: versionOf('@anthropic-ai/foundry-sdk', 'packages/testing'),
    retries: true,
    open: cloud(foundry),
  },
  { name: 'openai chat.completions', version: openaiVersion, retries: true, open: chat },
  { name: 'openai responses', version: openaiVersion, retries: true, open: responses },
  { name: 'openai embeddings', version: openaiVersion, retries: true, open: embeddings },
  {
    name: 'ai with @ai-sdk/anthropic',
    version: `${versionOf('ai')} with ${versionOf('@ai-sdk/anthropic')}`,
    retries: false,
    open: vercel,
    // The version of the API that it speaks knows no `citations: null`, and its schema refuses it.
    answer: (call) => ({ content: [{ type: 'text', text: `The answer to call ${call}` }] }),
  },
  { name: 'plain fetch', version: process.version, retries: false, open: plainFetch },
]

/** The options of a call as they reach a fetch: in `fetchOptions`. */
function forFetch({ messages: api }: Anthropic): Messages {
  const moved = <Options extends { idem?: CallOptions }>({ idem, ...rest }: Options = {} as Options) => ({
    ...rest,
    fetchOptions: { idem },
  })
  return {
    create: (params: never, options: never) => api.create(params, moved(options) as never),
    stream: (params: never, options: never) => api.stream(params, moved(options) as never),
  } as unknown as Messages
}
