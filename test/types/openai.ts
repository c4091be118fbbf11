// Each line that must not compile stands under the words its error must have.
import { createIdem } from '@idem/core'
import { type IdemRequestOptions, openaiDialects, type WithIdem, withIdem } from '@idem/openai'
import { AzureOpenAI, OpenAI } from 'openai'

const idem = createIdem({ dialects: openaiDialects })
const client = withIdem(new OpenAI(), idem)
const plain = new OpenAI({ fetch: idem.fetch })
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Hi' }]
const params = { model: 'gpt', messages }
const input = { model: 'gpt', input: 'Hi' }
declare const stream: boolean
declare const either: OpenAI.ChatCompletionCreateParams

// It is still the client that it was.
export const openai: OpenAI = client
export const named: WithIdem = client
export const copy: WithIdem = client.withOptions({ timeout: 1 })
export const azure: AzureOpenAI = withIdem(new AzureOpenAI(), idem)

export async function every() {
  const { completions } = client.chat
  ;(await completions.create(params, { idem: { refresh: true } })).choices
  for await (const chunk of await completions.create({ ...params, stream: true }, { idem: { ttl: '90s' } }))
    chunk.choices
  const one = await completions.create({ ...params, stream }, { idem: { scope: 'a' }, idempotencyKey: 'k' })
  if ('choices' in one) one.choices
  await completions.create(either, { idem: { ttl: 'chat' } })
  ;(await completions.parse(params, { idem: { bypass: true } })).choices[0]?.message.parsed
  await completions.stream(params, { idem: { key: 'a' } }).finalChatCompletion()
  await completions
    .runTools({ ...params, tools: [] }, { idem: { ttl: 'chat' }, maxChatCompletions: 2 })
    .done()
  completions.runTools({ ...params, tools: [], stream: true }, { idem: { ttl: 'chat' } }).toReadableStream()
  ;(await client.responses.create(input, { idem: { refresh: true } })).output_text
  for await (const event of await client.responses.create({ ...input, stream: true }, { idem: { ttl: 1 } }))
    event.type satisfies string
  await client.responses.create({ ...input, stream }, { idem: { refresh: true } })
  ;(await client.responses.parse(input, { idem: { bypass: true } })).output_parsed
  await client.responses.stream(input, { idem: { bypass: true } }).finalResponse()
  ;(await client.embeddings.create({ model: 'e', input: 'a' }, { idem: { ttl: '2 hours' } })).data[0]
    ?.embedding
  await completions.create(params, { idem: undefined })
  await plain.chat.completions.create(params, { fetchOptions: { idem: { bypass: true } } })
}

// Wrappers, whatever they call their options.
const ask = (options?: IdemRequestOptions) => client.chat.completions.create(params, options)
const askPlain = (options?: OpenAI.RequestOptions) => client.chat.completions.create(params, options)
const askEither = (body: OpenAI.ChatCompletionCreateParams, options?: IdemRequestOptions) =>
  client.chat.completions.create(body, options)
const askAs = (options: Parameters<typeof client.chat.completions.create>[1]) =>
  client.chat.completions.create(params, options)
ask({ idem: { bypass: true }, timeout: 1 })
askPlain({ timeout: 1, fetchOptions: { idem: { bypass: true } } })
askEither(either, { idem: { bypass: true } })
askAs({ idem: { bypass: true } })

// error: refesh
client.chat.completions.create(params, { idem: { refesh: true } })
// error: refesh
client.chat.completions.create({ ...params, stream: true }, { idem: { refesh: true } })
// error: refesh
client.chat.completions.create({ ...params, stream }, { idem: { refesh: true } })
// error: bypas
client.chat.completions.stream(params, { idem: { bypas: true } })
// error: scop
client.chat.completions.parse(params, { idem: { scop: 'a' } })
// error: refesh
client.chat.completions.runTools({ ...params, tools: [] }, { idem: { refesh: true } })
// error: refesh
client.chat.completions.runTools({ ...params, tools: [], stream: true }, { idem: { refesh: true } })
// error: refesh
client.responses.create(input, { idem: { refesh: true } })
// error: refesh
client.responses.create({ ...input, stream }, { idem: { refesh: true } })
// error: refesh
client.responses.parse(input, { idem: { refesh: true } })
// error: refesh
client.responses.stream(input, { idem: { refesh: true } })
// error: refesh
client.embeddings.create({ model: 'e', input: 'a' }, { idem: { refesh: true } })
// error: refesh
client.withOptions({}).chat.completions.create(params, { idem: { refesh: true } })
// error: idm
client.chat.completions.create(params, { idm: { refresh: true } })
// error: 90 parsecs
client.chat.completions.create(params, { idem: { ttl: '90 parsecs' } })
// error: refesh
ask({ idem: { refesh: true } })
// error: refesh
client.chat.completions.create(params, { fetchOptions: { idem: { refesh: true } } })
// A client that idem is not in ignores the option.
// error: 'idem' does not exist
plain.chat.completions.create(params, { idem: { bypass: true } })
// error: scpe
withIdem(new OpenAI(), idem, { scpe: 'a' })
// error: Expected
withIdem(new OpenAI())
// error: Idem
withIdem(new OpenAI(), {})
// error: not assignable
withIdem({}, idem)
