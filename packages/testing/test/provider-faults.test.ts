import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Provider, startProvider } from '../src/index.js'
import { post, question } from './messages.js'

let provider: Provider
beforeAll(async () => {
  provider = await startProvider()
})
afterEach(() => provider.reset())
afterAll(() => provider.stop())

const cause = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('the call must fail'),
    (error: Error) => error.cause as Error & { code: string },
  )

test('a provider call that is dropped before headers shows the client a reset connection', async () => {
  provider.reply({ drop: 'before-headers' })
  expect((await cause(post(provider.url, question))).code).toBe('ECONNRESET')
  expect(await provider.requests[0]!.done).toBe('dropped')
})

test.each([{ stream: false }, { stream: true }])(
  'a provider call that is dropped in mid body gives headers and a part, then breaks (%o)',
  async ({ stream }) => {
    provider.reply({ drop: 'mid-body', text: 'some words that will not all arrive' })
    const response = await post(provider.url, { ...question, stream })
    expect(response.status).toBe(200)
    let received = ''
    await expect(
      (async () => {
        for await (const chunk of response.body!) received += new TextDecoder().decode(chunk)
      })(),
    ).rejects.toThrow('terminated')
    expect(received).toContain('"type":"message"')
    expect(received).not.toContain('message_stop')
    expect(await provider.requests[0]!.done).toBe('dropped')
  },
)

test('a call that hangs is open until the client leaves, and then known as closed by the client', async () => {
  provider.reply({ hang: true })
  const leaving = new AbortController()
  const next = provider.nextCall()
  const answer = post(provider.url, question, { signal: leaving.signal })
  const call = await next
  expect(call.state).toBe('open')
  leaving.abort()
  await expect(answer).rejects.toThrow('aborted')
  await call.closedByClient
  expect(call.state).toBe('aborted')
})

test('a stream that hangs in mid body has given its headers and first events', async () => {
  provider.reply({ hang: 'mid-body' })
  const response = await post(provider.url, { ...question, stream: true })
  const reader = response.body!.getReader()
  expect(new TextDecoder().decode((await reader.read()).value)).toContain('message_start')
  expect(provider.requests[0]!.state).toBe('open')
  await reader.cancel()
  await provider.requests[0]!.closedByClient
})

test('a client that leaves during the latency is never answered', async () => {
  provider.reply({ latencyMs: 60_000 })
  const leaving = new AbortController()
  const next = provider.nextCall()
  const answer = post(provider.url, question, { signal: leaving.signal })
  const call = await next
  leaving.abort()
  await expect(answer).rejects.toThrow('aborted')
  expect(await call.done).toBe('aborted')
})

test('a reset ends open calls, forgets what was received and restores the default answer', async () => {
  provider.reply({ hang: true })
  const next = provider.nextCall()
  const failed = cause(post(provider.url, question))
  const call = await next
  provider.reset()
  expect((await failed).code).toBe('ECONNRESET')
  expect(await call.done).toBe('dropped')
  expect(provider.calls).toBe(0)
  expect((await post(provider.url, question)).status).toBe(200)
})

test('a wait for a call that never comes rejects at the reset', async () => {
  const next = provider.nextCall()
  provider.reset()
  await expect(next).rejects.toThrow('reset')
})

test('a stopped provider has broken its open calls and refuses new ones', async () => {
  const other = await startProvider()
  other.reply({ hang: true })
  const next = other.nextCall()
  const failed = cause(post(other.url, question))
  await next
  await other.stop()
  expect((await failed).code).toBe('ECONNRESET')
  expect((await cause(post(other.url, question))).code).toBe('ECONNREFUSED')
})

test('an answer larger than the buffers of the network arrives whole', async () => {
  const text = 'long '.repeat(1_000_000)
  provider.reply({ text })
  const response = await post(provider.url, question)
  expect((await response.json()).content[0].text).toBe(text)
})
