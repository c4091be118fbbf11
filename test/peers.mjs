// Runs one version of an SDK through idem, in a process of its own: `node peers.mjs <name> <provider's URL>`.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const claude = (content) => ({
  model: 'claude-opus-4-5',
  max_tokens: 64,
  messages: [{ role: 'user', content }],
})
const gpt = (content) => ({ model: 'gpt-5.1', messages: [{ role: 'user', content }] })

/** The Anthropic SDK; `client` puts idem under it. */
const anthropic = (alias, way, client) => ({
  name: `${alias}, ${way}`,
  packages: [alias],
  retries: true,
  async open(baseURL, idem, options) {
    const { Anthropic } = await import(alias)
    const { messages } = await client(Anthropic, { baseURL, apiKey: 'key', ...options }, idem)
    return {
      whole: async (prompt) => (await messages.create(claude(prompt))).content[0].text,
      stream: async (prompt) => (await messages.stream(claude(prompt)).finalMessage()).content[0].text,
    }
  },
})

const byFetch = (Sdk, options, idem) => new Sdk({ ...options, fetch: idem.fetch })

const byMiddleware = async (Anthropic, options, idem) => {
  const { idempotency } = await import('@idem/anthropic')
  return new Anthropic({ ...options, middleware: [idempotency(idem)] })
}

/** With the `withIdem` of this package. */
const byWithIdemOf = (name) => async (Sdk, options, idem) => {
  const { withIdem } = await import(name)
  return withIdem(new Sdk(options), idem)
}
const byWithIdem = byWithIdemOf('@idem/anthropic')
const byOpenaiWithIdem = byWithIdemOf('@idem/openai')

/** The OpenAI SDK, by chat completions or by responses; `client` puts idem under it. */
const openai = (alias, way, client) => {
  const open = (use) => async (url, idem, options) => {
    const { default: OpenAI } = await import(alias)
    return use(await client(OpenAI, { baseURL: `${url}/v1`, apiKey: 'key', ...options }, idem))
  }
  const chat = ({ chat: { completions } }) => ({
    whole: async (prompt) => (await completions.create(gpt(prompt))).choices[0].message.content,
    async stream(prompt) {
      let text = ''
      const asked = { ...gpt(prompt), stream: true, stream_options: { include_usage: true } }
      for await (const { choices } of await completions.create(asked)) text += choices[0]?.delta.content ?? ''
      return text
    },
  })
  const responses = ({ responses }) => ({
    whole: async (input) => (await responses.create({ model: 'gpt-5.1', input })).output_text,
    async stream(input) {
      let text = ''
      for await (const event of await responses.create({ model: 'gpt-5.1', input, stream: true }))
        if (event.type === 'response.output_text.delta') text += event.delta
      return text
    },
  })
  const common = { packages: [alias], retries: true }
  return [
    { ...common, name: `${alias} chat completions, ${way}`, open: open(chat) },
    { ...common, name: `${alias} responses, ${way}`, open: open(responses) },
  ]
}

/** The AI SDK, with its providers for both APIs. It has no timeout of its own: the caller's signal ends the wait. */
const vercel = (alias, anthropicAlias, openaiAlias) => {
  const open = (model) => async (url, idem, options) => {
    const { generateText, streamText } = await import(alias)
    const common = {
      model: await model({ baseURL: `${url}/v1`, apiKey: 'key', fetch: idem.fetch }),
      ...options,
    }
    return {
      whole: async (prompt, abortSignal) => (await generateText({ ...common, prompt, abortSignal })).text,
      async stream(prompt, abortSignal) {
        let failure
        const onError = ({ error }) => {
          failure = error
        }
        let text = ''
        const { textStream } = streamText({ ...common, prompt, abortSignal, onError })
        for await (const piece of textStream) text += piece
        abortSignal?.throwIfAborted()
        if (failure) throw failure
        return text
      },
    }
  }
  const messages = async (options) =>
    (await import(anthropicAlias)).createAnthropic(options)('claude-opus-4-5')
  const chat = async (options) => (await import(openaiAlias)).createOpenAI(options).chat('gpt-5.1')
  const responses = async (options) => (await import(openaiAlias)).createOpenAI(options).responses('gpt-5.1')
  return [
    {
      name: `${alias} with its Anthropic provider`,
      packages: [alias, anthropicAlias],
      retries: false,
      open: open(messages),
    },
    {
      name: `${alias} with its OpenAI provider, chat`,
      packages: [alias, openaiAlias],
      retries: false,
      open: open(chat),
    },
    {
      name: `${alias} with its OpenAI provider, responses`,
      packages: [alias, openaiAlias],
      retries: false,
      open: open(responses),
    },
  ]
}

/** Every version that is tested, and every way to put idem under it. A new way is a line more for each version. */
export const peers = [
  anthropic('anthropic-0.50', 'idem.fetch', byFetch),
  anthropic('anthropic-0.101', 'idem.fetch', byFetch),
  anthropic('anthropic-0.101', 'middleware', byMiddleware),
  anthropic('anthropic-0.101', 'withIdem', byWithIdem),
  anthropic('anthropic-0.137', 'middleware', byMiddleware),
  anthropic('anthropic-1.0', 'middleware', byMiddleware),
  anthropic('anthropic-1.0', 'withIdem', byWithIdem),
  anthropic('anthropic-1.14', 'middleware', byMiddleware),
  anthropic('anthropic-1.14', 'withIdem', byWithIdem),
  anthropic('anthropic-1.14', 'idem.fetch', byFetch),
  ...openai('openai-5.0', 'idem.fetch', byFetch),
  ...openai('openai-5.0', 'withIdem', byOpenaiWithIdem),
  ...openai('openai-5', 'idem.fetch', byFetch),
  ...openai('openai', 'idem.fetch', byFetch),
  ...openai('openai', 'withIdem', byOpenaiWithIdem),
  ...openai('openai-7', 'idem.fetch', byFetch),
  ...openai('openai-7', 'withIdem', byOpenaiWithIdem),
  ...vercel('ai-5', 'ai-5-anthropic', 'ai-5-openai'),
  ...vercel('ai', '@ai-sdk/anthropic', '@ai-sdk/openai'),
  ...vercel('ai-7', 'ai-7-anthropic', 'ai-7-openai'),
]

/** The package.json of a package, read from its folder: not every package lets it be imported. */
export function manifestOf(alias) {
  return JSON.parse(readFileSync(new URL(`node_modules/${alias}/package.json`, import.meta.url), 'utf8'))
}

/** Asks in every way that the test checks. The prompt tells the provider what to answer. */
async function run(peer, url, idem, form) {
  const asking = async (options) => {
    const client = await peer.open(url, idem, options)
    return (about, signal) => client[form](`${form}: ${about}`, signal)
  }
  const once = await asking({ maxRetries: 0 })
  const first = await settled(once('again'))
  const again = await settled(once('again'))
  const together = await Promise.all(Array.from({ length: 5 }, () => settled(once('together'))))
  const impatient = await asking({ timeout: 100, maxRetries: 5 })
  // Where the SDK has no timeout, the caller ends the wait and makes the second try.
  const retried = peer.retries
    ? await settled(impatient('slow'))
    : await once('slow', AbortSignal.timeout(100)).then(
        () => 'an answer in spite of the timeout',
        () => settled(once('slow')),
      )
  const refused = await Promise.all([settled(once('refused')), settled(once('refused'))])
  return { first, again, together, retried, refused }
}

/** How it ended: the answer, the status of an API error, or any other error as text. */
const settled = (promise) => promise.catch((error) => error?.status ?? error?.statusCode ?? String(error))

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [{ createIdem }, { messagesDialect }, { openaiDialects }] = await Promise.all([
    import('@idem/core'),
    import('@idem/anthropic'),
    import('@idem/openai'),
  ])
  const [, , name, url] = process.argv
  const peer = peers.find((one) => one.name === name)
  const warnings = []
  const logger = { warn: (line) => warnings.push(line) }
  const idem = createIdem({ dialects: [messagesDialect, ...openaiDialects], logger })
  const [whole, stream] = await Promise.all([run(peer, url, idem, 'whole'), run(peer, url, idem, 'stream')])
  const stats = idem.stats()
  await idem.close()
  process.stdout.write(JSON.stringify({ node: process.versions.node, warnings, whole, stream, stats }))
}
