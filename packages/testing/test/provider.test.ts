import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Provider, startProvider } from '../src/index.js'
import { post, question } from './messages.js'

let provider: Provider
beforeAll(async () => {
  provider = await startProvider()
})
afterEach(() => provider.reset())
afterAll(() => provider.stop())

describe('a good answer', () => {
  test('has every key of a message and the headers of the API', async () => {
    const response = await post(provider.url, question)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(response.headers.get('request-id')).toMatch(/^req_/)

    const message = await response.json()
    expect(Object.keys(message).sort()).toEqual(
      'container content diagnostics id model role stop_details stop_reason stop_sequence type usage'.split(
        ' ',
      ),
    )
    expect(message).toMatchObject({ type: 'message', role: 'assistant', model: question.model })
    expect(message).toMatchObject({ stop_reason: 'end_turn', content: [{ type: 'text' }] })
    expect(message.usage.input_tokens).toBeGreaterThan(0)
    expect(message.usage.output_tokens).toBeGreaterThan(1)
  })

  test('is different for every call, so that a second execution can be seen', async () => {
    const [first, second] = [await post(provider.url, question), await post(provider.url, question)]
    const [a, b] = [await first.json(), await second.json()]
    expect(a.content[0].text).toContain('call 1')
    expect(b.content[0].text).toContain('call 2')
    expect(a.id).not.toBe(b.id)
  })

  test('counts more tokens for a longer text', async () => {
    provider.reply((_request, index) => ({ text: 'word '.repeat(20 * (index + 1)) }))
    const usage = async () => (await (await post(provider.url, question)).json()).usage.output_tokens
    const [short, long] = [await usage(), await usage()]
    expect(long).toBe(2 * short)
  })

  test('is given under any path prefix, and under no other path', async () => {
    expect((await post(`${provider.url}/gateway/eu`, question)).status).toBe(200)
    const other = await post(`${provider.url}/v1/messages/count_tokens?`, question)
    expect(other.status).toBe(404)
    expect((await other.json()).error.type).toBe('not_found_error')
    expect(provider.requests.map((call) => call.path)).toEqual(['/gateway/eu/v1/messages'])
  })

  test('comes after latencyMs, counted from the arrival', async () => {
    provider.reply({ latencyMs: 60 })
    await post(provider.url, question)
    const passedMs = Number(process.hrtime.bigint() - provider.requests[0]!.at) / 1e6
    expect(passedMs).toBeGreaterThanOrEqual(59)
  })
})

describe('a stream', () => {
  const events = (text: string) =>
    text
      .split('\n\n')
      .filter(Boolean)
      .map((event) => /^event: (\S+)\ndata: (.*)$/.exec(event)!)
      .map(([, name, data]) => ({ name, data: JSON.parse(data!) }))

  test('is framed as named events in the order of the API', async () => {
    provider.reply({ text: 'two words' })
    const response = await post(provider.url, { ...question, stream: true })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const received = events(await response.text())
    expect(received.map(({ name }) => name)).toEqual([
      'message_start',
      'ping',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    for (const { name, data } of received) expect(data.type).toBe(name)
    expect(received.at(-2)!.data.usage.output_tokens).toBeGreaterThan(
      received[0]!.data.message.usage.output_tokens,
    )
  })

  test('arrives piece by piece when there is a chunkDelayMs', async () => {
    provider.reply({ text: 'two words', chunkDelayMs: 15 })
    const response = await post(provider.url, { ...question, stream: true })
    const reader = response.body!.getReader()
    const first = new TextDecoder().decode((await reader.read()).value)
    expect(first).toContain('message_start')
    expect(first).not.toContain('message_stop')
    expect(provider.requests[0]!.state).toBe('open')
    await reader.cancel()
    await provider.requests[0]!.closedByClient
  })

  test('that is told to fail ends in an error event under status 200', async () => {
    provider.reply({ status: 200, error: { type: 'overloaded_error' } })
    const response = await post(provider.url, { ...question, stream: true })
    expect(response.status).toBe(200)
    const received = events(await response.text())
    expect(received[0]!.name).toBe('message_start')
    expect(received.at(-1)!.data).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } })
    expect(received.map(({ name }) => name)).not.toContain('message_stop')
  })
})

describe('an error', () => {
  test.each([
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [413, 'request_too_large'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [529, 'overloaded_error'],
  ])('with status %i has the type %s', async (status, type) => {
    provider.reply({ status, headers: { 'Retry-After': '7' } })
    const response = await post(provider.url, { ...question, stream: true })
    expect(response.status).toBe(status)
    expect(response.headers.get('retry-after')).toBe('7')
    expect(response.headers.get('content-type')).toContain('application/json')
    const body = await response.json()
    expect(body).toEqual({
      type: 'error',
      error: { type, message: expect.any(String) },
      request_id: response.headers.get('request-id'),
    })
    provider.reply({ error: { type, message: 'in my own words' } })
    const named = await post(provider.url, question)
    expect([named.status, (await named.json()).error.message]).toEqual([status, 'in my own words'])
  })

  test.each([
    ['no model', { ...question, model: undefined }, 'model: Field required'],
    ['no max_tokens', { ...question, max_tokens: undefined }, 'max_tokens: Field required'],
    ['no messages', { ...question, messages: undefined }, 'messages: Field required'],
    ['empty messages', { ...question, messages: [] }, 'messages: at least one message is required'],
    ['malformed JSON', '{"model":', 'valid JSON'],
  ])('is the answer to a body with %s, whatever the script says', async (_name, body, message) => {
    provider.reply({ text: 'never sent' })
    const response = await post(provider.url, body)
    expect(response.status).toBe(400)
    const { error } = await response.json()
    expect(error.type).toBe('invalid_request_error')
    expect(error.message).toContain(message)
    expect(provider.calls).toBe(1)
  })

  test('is the answer when the responder of a test throws', async () => {
    provider.reply(() => {
      throw new Error('a slip in the test')
    })
    const response = await post(provider.url, question)
    expect(response.status).toBe(500)
    expect((await response.json()).error.message).toContain('a slip in the test')
  })

  test('is 413 for a body over 32 MB', async () => {
    const response = await post(provider.url, { ...question, padding: 'x'.repeat(32 * 1024 * 1024) })
    expect(response.status).toBe(413)
    expect((await response.json()).error.type).toBe('request_too_large')
  })
})

describe('what is received', () => {
  test('is recorded with headers, body, time and what became of it', async () => {
    const before = process.hrtime.bigint()
    const response = await post(provider.url, question, { headers: { 'x-mine': 'yes' } })
    await response.text()
    const [call] = provider.requests
    expect(call!.headers['x-mine']).toBe('yes')
    expect(call!.body).toEqual(question)
    expect(call!.rawBody).toBe(JSON.stringify(question))
    expect(call!.at).toBeGreaterThan(before)
    expect(await call!.done).toBe('finished')
    expect(call!.state).toBe('finished')
  })

  test('can be waited for: nextCall gives the next, not one that was before', async () => {
    await (await post(provider.url, question)).text()
    const next = provider.nextCall()
    const answer = post(provider.url, { ...question, max_tokens: 5 })
    expect((await next).body.max_tokens).toBe(5)
    await (await answer).text()
  })

  test('can be waited for: waitForCalls includes those that were before', async () => {
    await (await post(provider.url, question)).text()
    const both = provider.waitForCalls(2)
    await (await post(provider.url, question)).text()
    expect((await both).map((call) => call.index)).toEqual([0, 1])
    expect(await provider.waitForCalls(1)).toHaveLength(1)
  })

  test('can be held by a responder that waits', async () => {
    let release!: () => void
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    provider.reply(async () => {
      await gate
      return { text: 'released' }
    })
    const next = provider.nextCall()
    const answer = post(provider.url, question)
    const call = await next
    expect(call.state).toBe('open')
    release()
    expect((await (await answer).json()).content[0].text).toBe('released')
  })

  test('is sent back raw when the script has a body', async () => {
    provider.reply({ body: 'not json', headers: { 'content-type': 'text/plain' } })
    const response = await post(provider.url, question)
    expect(response.headers.get('content-type')).toBe('text/plain')
    expect(await response.text()).toBe('not json')
  })
})
