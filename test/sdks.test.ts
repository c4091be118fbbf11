import { idempotency } from '@idem/anthropic'
import { createIdem } from '@idem/core'
import { type Provider, type ReplyScript, startProvider } from '@idem/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bedrock, vertex } from '../packages/testing/test/clouds.js'
import { type Ask, type ClientOptions, type Sdk, sdks } from './sdks.js'

let provider: Provider
beforeAll(async () => {
  provider = await startProvider()
  process.stdout.write(`${sdks.map(({ name, version }) => `    ${name}: ${version}\n`).join('')}`)
})
beforeEach(() => provider.reset())
afterAll(() => provider.stop())

/** Each form of an answer that the API has. */
const forms = sdks.flatMap((sdk) => {
  const isStreaming = sdk.open('http://127.0.0.1').stream !== undefined
  const both = ['whole', 'stream'] as const
  return both.slice(0, isStreaming ? 2 : 1).map((form) => [sdk.name, form, sdk] as const)
})

function asking(sdk: Sdk, form: 'whole' | 'stream', options?: ClientOptions): Ask {
  return sdk.open(provider.url, options)[form]!
}

/** Sets the answer of all calls from now on. */
function reply(sdk: Sdk, script: ReplyScript = {}): void {
  provider.reply((_, index) => ({ ...script, ...sdk.answer?.(index) }))
}

test('every SDK is here that idem is said to serve', () => {
  expect(forms).toHaveLength(21)
})

describe.each(forms)('%s, %s', (_name, form, sdk) => {
  test('the same request again is answered without a call', async () => {
    reply(sdk)
    const ask = asking(sdk, form)
    const first = await ask()
    expect(await ask()).toBe(first)
    expect(provider.calls).toBe(1)
  })

  test('10 duplicates at once are one call, with one answer', async () => {
    reply(sdk, { latencyMs: 30 })
    const ask = asking(sdk, form)
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask()))
    expect(new Set(answers).size).toBe(1)
    expect(provider.calls).toBe(1)
  })

  test('a retry after a timeout gets the answer of the first try', async () => {
    reply(sdk, { latencyMs: 250 })
    if (sdk.retries) expect(await asking(sdk, form, { timeout: 100, maxRetries: 5 })()).not.toBe('')
    else {
      const ask = asking(sdk, form, { maxRetries: 0 })
      await expect(ask({ signal: AbortSignal.timeout(100) })).rejects.toThrow()
      expect(await ask()).not.toBe('')
    }
    expect(provider.calls).toBe(1)
  })

  test('an error is shared by those who wait, as the SDK’s own; the next call is made again', async () => {
    reply(sdk, { latencyMs: 30, status: 400 })
    const ask = asking(sdk, form, { maxRetries: 0 })
    const ends = await Promise.allSettled(Array.from({ length: 10 }, () => ask()))
    expect(new Set(ends.map((end) => statusOf((end as PromiseRejectedResult).reason)))).toEqual(
      new Set([400]),
    )
    expect(provider.calls).toBe(1)
    reply(sdk)
    expect(await ask()).not.toBe('')
    expect(provider.calls).toBe(2)
  })

  test('bypass makes a call of its own', async () => {
    reply(sdk)
    const ask = asking(sdk, form)
    const answers = [
      await ask(),
      await ask({ idem: { bypass: true } }),
      await ask({ idem: { bypass: true } }),
    ]
    expect(new Set(answers).size).toBe(3)
    expect(provider.calls).toBe(3)
    expect(await ask()).toBe(answers[0])
  })
})

describe.each(sdks.filter((sdk) => sdk.open('http://127.0.0.1').stream))('$name', (sdk) => {
  test('a stream and a whole answer are one, whichever came first', async () => {
    for (const [first, second] of [['whole', 'stream'] as const, ['stream', 'whole'] as const]) {
      provider.reset()
      reply(sdk)
      const opened = sdk.open(provider.url)
      const answers = [await opened[first]!(), await opened[second]!()]
      expect(provider.calls).toBe(1)
      // Plain fetch gives the bytes of the wire, which differ between the forms.
      if (sdk.name !== 'plain fetch') expect(answers[0]).toBe(answers[1])
    }
  })
})

describe.each(['@anthropic-ai/bedrock-sdk', '@anthropic-ai/vertex-sdk'])('%s without a scope', (name) => {
  test('shares nothing, and says so once: two accounts look the same from here', async () => {
    const warnings: string[] = []
    const idem = createIdem({ logger: { warn: (line) => warnings.push(line) } })
    const make = name.includes('bedrock') ? bedrock : vertex
    const client = make(provider.url, { middleware: [idempotency(idem)] })
    const request = {
      model: 'claude-opus-4-5',
      max_tokens: 64,
      messages: [{ role: 'user' as const, content: 'Hi' }],
    }
    for (let call = 0; call < 2; call++) await client.messages.create(request)
    expect(provider.calls).toBe(2)
    expect(idem.stats()).toMatchObject({ bypassed: 2, hits: 0 })
    expect(warnings).toEqual([expect.stringContaining('NOT shared')])
  })
})

/** Each SDK has its own name for it; after vain retries it is one level deeper. */
function statusOf(error: { status?: number; statusCode?: number; lastError?: { statusCode?: number } }) {
  return error?.status ?? error?.statusCode ?? error?.lastError?.statusCode
}
