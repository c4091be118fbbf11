// Each line that must not compile stands under the words its error must have.
import { Anthropic } from '@anthropic-ai/sdk'
import { type IdemRequestOptions, idempotency, type WithIdem, withIdem } from '@idem/anthropic'
import { createIdem } from '@idem/core'
import { bedrock, foundry, vertex } from '../../packages/testing/test/clouds.js'

const idem = createIdem()
const client = withIdem(new Anthropic(), idem)
const plain = new Anthropic({ middleware: [idempotency(idem)] })
const question: Anthropic.MessageParam[] = [{ role: 'user', content: 'Hi' }]
const params = { model: 'claude', max_tokens: 1, messages: question }
declare const stream: boolean
declare const either: Anthropic.MessageCreateParams

// It still has the type of the client it was.
export const anthropic: Anthropic = client
export const named: WithIdem = client
export const copy: WithIdem = client.withOptions({ timeout: 1 })

export async function every() {
  const whole = await client.messages.create(params, { idem: { refresh: true } })
  whole.content satisfies Anthropic.ContentBlock[]
  for await (const event of await client.messages.create(
    { ...params, stream: true },
    { idem: { ttl: '90s' } },
  ))
    event.type satisfies string
  const one = await client.messages.create(
    { ...params, stream },
    { idem: { scope: 'a' }, idempotencyKey: 'k' },
  )
  if ('content' in one) one.content satisfies Anthropic.ContentBlock[]
  await client.messages.create(either, { idem: { ttl: 'chat' } })
  ;(await client.messages.parse(params, { idem: { bypass: true } })).parsed_output
  await client.messages.stream(params, { idem: { key: 'a' } }).finalMessage()
  const { messages } = client.beta
  ;(await messages.create(params, { idem: { refresh: true } })).content
  await messages.create({ ...params, stream }, { idem: { refresh: true } })
  await messages.parse(params, { idem: { refresh: true } })
  await messages.stream(params, { idem: { refresh: true } }).finalMessage()
  ;(await messages.toolRunner({ ...params, tools: [] }, { idem: { bypass: true } })).content
  for await (const turn of messages.toolRunner(
    { ...params, tools: [], stream: true },
    { idem: { bypass: true } },
  ))
    await turn.finalMessage()
  messages.toolRunner({ ...params, tools: [], stream }, { idem: { ttl: 1 }, headers: {} })
  await client.messages.create(params, { idem: undefined })
}

export async function everyOfPlain() {
  ;(await plain.messages.create(params, { idem: { refresh: true } })).content
  await plain.messages.create({ ...params, stream }, { idem: { refresh: true } })
  await plain.messages.create(either, { idem: { refresh: true } })
  await plain.messages.stream(params, { idem: { refresh: true } }).finalMessage()
  await plain.messages.parse(params, { idem: { refresh: true } })
  await plain.beta.messages.create({ ...params, stream }, { idem: { refresh: true } })
  ;(await plain.beta.messages.toolRunner({ ...params, tools: [] }, { idem: { ttl: 'chat' } })).content
}

// Wrappers, each with its own name for the options.
const ask = (options?: IdemRequestOptions) => client.messages.create(params, options)
const askPlain = (options?: Anthropic.RequestOptions) => client.messages.create(params, options)
const askEither = (body: Anthropic.MessageCreateParams, options?: IdemRequestOptions) =>
  client.messages.create(body, options)
const askAs = (options: Parameters<typeof client.messages.create>[1]) =>
  client.messages.create(params, options)
const askAsPlain = (options: Parameters<typeof plain.messages.create>[1]) =>
  plain.messages.create(params, options)
ask({ idem: { bypass: true }, timeout: 1 })
askPlain({ timeout: 1 })
askEither(either, { idem: { bypass: true } })
askAs({ idem: { bypass: true } })
askAsPlain({ idem: { bypass: true } })

// The clients of the clouds.
withIdem(bedrock(''), idem, { scope: 'team' }).messages.create(params, { idem: { bypass: true } })
withIdem(vertex(''), idem, { scope: 'team' }).messages.create(params, { idem: { bypass: true } })
withIdem(foundry(''), idem).messages.create(params, { idem: { bypass: true } })

// error: refesh
client.messages.create(params, { idem: { refesh: true } })
// error: refesh
client.messages.create({ ...params, stream: true }, { idem: { refesh: true } })
// error: refesh
client.messages.create({ ...params, stream }, { idem: { refesh: true } })
// error: bypas
client.messages.stream(params, { idem: { bypas: true } })
// error: scop
client.messages.parse(params, { idem: { scop: 'a' } })
// error: refesh
client.beta.messages.create(params, { idem: { refesh: true } })
// error: refesh
client.beta.messages.stream(params, { idem: { refesh: true } })
// error: refesh
client.beta.messages.parse(params, { idem: { refesh: true } })
// error: refesh
client.beta.messages.toolRunner({ ...params, tools: [] }, { idem: { refesh: true } })
// error: refesh
client.withOptions({}).messages.create(params, { idem: { refesh: true } })
// error: refesh
withIdem(bedrock(''), idem).messages.create(params, { idem: { refesh: true } })
// error: idm
client.messages.create(params, { idm: { refresh: true } })
// error: 90 parsecs
client.messages.create(params, { idem: { ttl: '90 parsecs' } })
// error: refesh
ask({ idem: { refesh: true } })
// error: refesh
askAs({ idem: { refesh: true } })
// error: bypas
plain.messages.stream(params, { idem: { bypas: true } })
// error: bypas
plain.messages.parse(params, { idem: { bypas: true } })
// error: idem
plain.messages.create(params, { idem: { bypas: true } })
// error: scpe
withIdem(new Anthropic(), idem, { scpe: 'a' })
// error: scpe
idempotency(idem, { scpe: 'a' })
// error: Expected
idempotency()
// error: Expected
withIdem(new Anthropic())
// error: Idem
withIdem(new Anthropic(), {})
// error: not assignable
withIdem({}, idem)
