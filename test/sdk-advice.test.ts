import { readFileSync } from 'node:fs'
import type { BaseAnthropic } from '@anthropic-ai/sdk/client'
import { withIdem } from '@idem/anthropic'
import { createIdem, type Idem } from '@idem/core'
import { withIdem as withIdemOfOpenai } from '@idem/openai'
import { type Provider, startProvider } from '@idem/testing'
import { ChatAnthropic } from '@langchain/anthropic'
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { ChatOpenAI } from '@langchain/openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { bedrock, foundry, vertex } from '../packages/testing/test/clouds.js'
import { type Asked, newIdem, rows } from './sdk-advice.js'

let provider: Provider
beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(() => {
  provider.reset()
  // In the API version of the AI SDK, texts have no `citations`.
  provider.reply((_, call) => ({ content: [{ type: 'text', text: `The answer to call ${call}` }] }))
})
afterAll(() => provider.stop())

test('docs/sdks.md has a row for each of these, and no other', () => {
  const page = readFileSync(new URL('../docs/sdks.md', import.meta.url), 'utf8')
  const [table = ''] = /(?:^\|.*\n)+/m.exec(page) ?? []
  const [, , ...written] = table.trim().split('\n')
  expect(written.map((row) => row.split('|')[1]!.trim())).toEqual(rows.map(({ name }) => name))
})

describe.each(rows)('$name', ({ open }) => {
  test('shares a call that is asked for again', async () => {
    const ask = open(provider.url, newIdem())
    const [first, second] = await Promise.all([ask(), ask()])
    expect(second).toBe(first)
    expect(await ask()).toBe(first)
    expect(provider.calls).toBe(1)
  })

  test('takes the options of a call', async () => {
    const idem = newIdem()
    const ask = open(provider.url, idem)
    const first = await ask({ idem: { ttl: 'chat' } })
    const own = await ask({ idem: { bypass: true } })
    const newer = await ask({ idem: { refresh: true } })
    const scoped = await ask({ idem: { scope: 'a' } })
    expect(new Set([first, own, newer, scoped]).size).toBe(4)
    expect(await ask()).toBe(newer)
    expect(await ask({ idem: { scope: 'a' } })).toBe(scoped)
    await expect(ask({ idem: { ttl: 'soon' as never } })).rejects.toThrow()
    await expect(ask({ idem: { refesh: true } as object })).rejects.toThrow()
    expect(provider.calls).toBe(4)
    expect(idem.stats()).toMatchObject({ executed: 3, bypassed: 1, replayed: 2 })
    expect(provider.requests.map(({ rawBody }) => rawBody.includes('idem"'))).not.toContain(true)
  })

  test('takes a key of its own', async () => {
    const ask = open(provider.url, newIdem())
    const answers = []
    for (const key of ['click-1', 'click-2', 'click-1', undefined, 'click-2']) {
      answers.push(await ask(key === undefined ? {} : { key }))
    }
    expect(answers[2]).toBe(answers[0])
    expect(answers[4]).toBe(answers[1])
    expect(provider.calls).toBe(3)
  })

  test('tells a timeout from an abort: the call is not cancelled, and asking again finds it', async () => {
    // OpenAI's SDK names the timeout of a call to its fetch in whole seconds.
    provider.reply({ latencyMs: 1_500, content: [{ type: 'text', text: 'late' }] })
    const idem = newIdem()
    await expect(open(provider.url, idem, 1_000)()).rejects.toThrow()
    expect(await provider.requests[0]!.done).toBe('finished')
    await open(provider.url, idem)()
    expect(provider.calls).toBe(1)
  })

  test('tells an abort from a timeout: the call is cancelled once everybody has left', async () => {
    provider.reply({ hang: true })
    const leaver = new AbortController()
    const arrived = provider.nextCall()
    const asked: Asked = { signal: leaver.signal }
    const call = open(provider.url, newIdem())(asked)
    const { done } = await arrived
    leaver.abort()
    await expect(call).rejects.toThrow()
    expect(await done).toBe('aborted')
  })
})

test.each([
  ['Bedrock', bedrock],
  ['Vertex', vertex],
  ['Foundry', foundry],
])('withIdem serves the client of %s, whose calls share by a scope', async (_, make) => {
  const client: BaseAnthropic = make(provider.url)
  const { messages } = withIdem(client, newIdem(), { scope: 'team' })
  const ask = (options = {}) =>
    messages.create(
      { model: 'claude-opus-4-5', max_tokens: 64, messages: [{ role: 'user', content: 'Hi' }] },
      options,
    )
  await Promise.all([ask(), ask()])
  expect(provider.calls).toBe(1)
  await ask({ idem: { bypass: true } })
  expect(provider.calls).toBe(2)
})

describe('a client without anything of its own is wrapped without a warning', () => {
  const options = { apiKey: 'key' }
  test.each(['anthropic-0.101', 'anthropic-0.137', 'anthropic-1.0', '@anthropic-ai/sdk', 'anthropic-1.14'])(
    '%s',
    async (name) => {
      const { Anthropic } = await import(name)
      const warn = vi.fn()
      withIdem(new Anthropic(options), createIdem({ logger: { warn } })).withOptions({ timeout: 1 })
      expect(warn).not.toHaveBeenCalled()
    },
  )
  test.each(['openai-5.0', 'openai-5', 'openai', 'openai-7'])('%s', async (name) => {
    const { OpenAI } = await import(name)
    const warn = vi.fn()
    withIdemOfOpenai(new OpenAI(options), createIdem({ logger: { warn } })).withOptions({ timeout: 1 })
    expect(warn).not.toHaveBeenCalled()
  })
})

test('withIdem refuses the client of a version without middleware, and names idem.fetch', async () => {
  const { Anthropic } = await import('anthropic-0.50')
  const client: BaseAnthropic = new Anthropic({ apiKey: 'key' }) as never
  expect(() => withIdem(client, newIdem())).toThrow(
    expect.objectContaining({
      code: 'IDEM_INVALID_ARGUMENT',
      message: expect.stringMatching(/this version has no middleware.*fetch: idem\.fetch.*messagesDialect/),
    }),
  )
})

describe('LangChain', () => {
  const of = { apiKey: 'key', maxRetries: 0 }
  const question = 'What is idempotency?'

  test.each([
    [
      'ChatAnthropic',
      (url: string, fetch: Idem['fetch']) =>
        new ChatAnthropic({
          ...of,
          model: 'claude-opus-4-5',
          anthropicApiUrl: url,
          clientOptions: { fetch },
        }),
    ],
    [
      'ChatOpenAI',
      (url: string, fetch: Idem['fetch']) =>
        new ChatOpenAI({ ...of, model: 'gpt-5.1', configuration: { baseURL: `${url}/v1`, fetch } }),
    ],
  ])('%s: two streams and a whole answer at once are one call, and say the same', async (_, make) => {
    provider.reply({ latencyMs: 50 })
    const model: BaseChatModel = make(provider.url, newIdem().fetch)
    const streamed = async () => {
      let text = ''
      for await (const { text: piece } of await model.stream(question)) text += piece
      return text
    }
    const texts = await Promise.all([streamed(), streamed(), model.invoke(question).then(({ text }) => text)])
    expect(new Set(texts).size).toBe(1)
    expect(texts[0]).toContain('answer')
    expect(provider.calls).toBe(1)
  })
})
