import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chatStreams } from '../src/chat/streams.js'
import { bytesOf, chunksOf } from './chat-wire.js'
import { type Completion, call, choice, completion, examples, text } from './completions.js'
import { answer, bothWays, completionInSdk, statesOf } from './oracle.js'

const { fold, expand } = bothWays(chatStreams)
const newlines = ['\n', '\r\n', '\r']

test('the examples are forty at least, each of its own name', () => {
  expect(examples.length).toBeGreaterThanOrEqual(40)
  expect(new Set(examples.map(({ name }) => name)).size).toBe(examples.length)
})

describe.each([Number.POSITIVE_INFINITY, 3, 1])('a stream in deltas of %s code points', (size) => {
  test.each(examples.map((example, i) => ({ ...example, newline: newlines[i % newlines.length]! })))(
    'folds to the completion the SDK reads in it: $name',
    async ({ completion, unlikeSdk, newline }) => {
      const stream = bytesOf(chunksOf(completion, size), newline)
      expect(fold(stream)).toStrictEqual(completion)
      if (!unlikeSdk) expect(await completionInSdk(withoutObfuscation(stream))).toStrictEqual(completion)
    },
  )

  test.each(examples)(
    'is whole when its last event is there, wherever it is cut: $name',
    ({ completion }) => {
      const stream = bytesOf(chunksOf(completion, size))
      for (const piece of [stream.length, 3, 1]) {
        const { running, whole, ...others } = statesOf(chatStreams, stream, piece)
        expect({ running, ...others }).toStrictEqual({ running: 0 })
        expect(whole).toBeGreaterThan(stream.length - 1)
      }
    },
  )
})

describe('a completion', () => {
  test.each(examples)(
    'expands to a stream in which the SDK reads it, and folds back, no member more or less: $name',
    async ({ completion, unlikeSdk }) => {
      const stream = expand(completion)
      expect(fold(stream)).toStrictEqual(completion)
      if (!unlikeSdk) expect(await completionInSdk(stream)).toStrictEqual(completion)
    },
  )

  test.each(examples)('expands to chunks with the members those of the API have: $name', ({ completion }) => {
    const members = (chunks: object[]) => new Set(chunks.map((chunk) => Object.keys(chunk).sort().join()))
    const own = chunksOf(completion, 1).map(({ obfuscation, ...chunk }) => chunk)
    const expanded = String(Buffer.from(expand(completion)))
      .split('\n\n')
      .filter((frame) => frame.startsWith('data: {'))
      .map((frame) => JSON.parse(frame.slice('data: '.length)))
    if (completion.choices.length > 0) expect(members(expanded)).toStrictEqual(members(own))
  })

  test('keeps its status and headers both ways', () => {
    const { body, ...rest } = answer(JSON.stringify(examples[0]!.completion))
    const expanded = chatStreams.expand({ ...rest, body })
    expect(expanded).toStrictEqual({ ...rest, body: expanded.body })
    expect(chatStreams.fold(expanded)).toMatchObject(rest)
  })

  test.each([{}, { choices: {} }, { choices: [1] }, { choices: [{ index: 0 }] }, []])(
    'is not what has none of its shape: %j',
    (body) => expect(() => expand(body)).toThrow(),
  )
})

describe('any completion', { timeout: 30_000 }, () => {
  const piece = fc.string({ unit: 'binary', maxLength: 20 })
  const some = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
  const logprob = fc.record({ token: piece, logprob: fc.integer(), bytes: fc.constant(null) })
  const logprobs = fc.option(
    fc.record({ content: fc.array(logprob, { minLength: 1, maxLength: 3 }), refusal: fc.constant(null) }),
  )
  const calls = fc.array(
    fc.record({ name: some, args: piece, id: some }).map(({ name, args, id }) => call(name, args, id)),
    { minLength: 1, maxLength: 3 },
  )
  const said = fc.oneof(
    fc.record({ content: some }),
    fc.record({ refusal: some }),
    fc.record({ content: fc.option(some), tool_calls: calls }),
  )
  const finish_reason = fc.constantFrom('stop', 'length', 'content_filter', 'tool_calls', 'tomorrow')
  const one = fc
    .record({ said, finish_reason, logprobs })
    .map(({ said, ...rest }) => choice(said as Record<string, unknown>, rest))
  const usage = fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat(), total_tokens: fc.nat() })
  const anyCompletion = fc
    .tuple(
      fc.array(one, { minLength: 1, maxLength: 3 }),
      fc.record({ usage, id: some, service_tier: fc.option(piece) }),
    )
    .map(([choices, change]): Completion => {
      const numbered = choices.map((choice, index) => ({ ...choice, index }))
      return JSON.parse(JSON.stringify(completion(numbered, change)))
    })

  test('is the one its stream folds to, and the SDK reads in it, however it is cut', async () => {
    const size = fc.constantFrom(1, 2, 7, Number.POSITIVE_INFINITY)
    const property = fc.asyncProperty(
      anyCompletion,
      size,
      fc.constantFrom(...newlines),
      async (one, n, line) => {
        const stream = bytesOf(chunksOf(one, n), line)
        expect(fold(stream)).toStrictEqual(one)
        expect(await completionInSdk(withoutObfuscation(stream))).toStrictEqual(one)
      },
    )
    await fc.assert(property, { numRuns: 300 })
  })

  test('expands to a stream in which the SDK reads it, and folds back', async () => {
    const property = fc.asyncProperty(anyCompletion, async (one) => {
      const stream = expand(one)
      expect(fold(stream)).toStrictEqual(one)
      expect(await completionInSdk(stream)).toStrictEqual(one)
    })
    await fc.assert(property, { numRuns: 300 })
  })
})

describe('a stream with what is not usual', () => {
  const hello = completion([text('Hé!')])
  const chunks = chunksOf(hello, 1)
  const frame = (chunk: unknown) => `data: ${JSON.stringify(chunk)}\n\n`
  const [first, ...rest] = chunks
  const withChunks = (...more: object[]) => bytesOf([first!, ...more, ...rest] as Record<string, unknown>[])
  const delta = (delta: object) => ({ ...first, choices: [{ index: 0, delta, finish_reason: null }] })

  test('folds without comments, nor what comes after the last event', () => {
    const stream = `: hi\n\n${bytesOf(chunks)}${frame({ choices: [] })}data: {\n\n`
    expect(fold(stream)).toStrictEqual(hello)
  })

  test('keeps members of a delta not known yet: text and lists continued, objects extended, null nothing', () => {
    const deltas = [
      { reasoning: 'Hm', list: [1], at: { x: 'a', y: 1 }, count: 1 },
      { reasoning: '…', list: [2], at: { x: 'b', z: null }, count: 2 },
      { reasoning: null, list: null, at: null, count: null },
    ]
    const { choices } = fold(withChunks(...deltas.map(delta))) as Completion
    expect(choices[0]!.message).toStrictEqual({
      ...hello.choices[0]!.message,
      reasoning: 'Hm…',
      list: [1, 2],
      at: { x: 'ab', y: 1, z: null },
      count: 2,
    })
  })

  test('takes names and ids once, however often they come', () => {
    const calls = [
      call('weather', ''),
      call('weather', '{}'),
      { id: '', type: 'function', function: { name: '' } },
    ]
    const deltas = calls.map((one) => delta({ role: 'assistant', tool_calls: [{ index: 0, ...one }] }))
    const { choices } = fold(withChunks(...deltas)) as Completion
    expect(choices[0]!.message).toMatchObject({ role: 'assistant', tool_calls: [call('weather', '{}')] })
  })

  test('takes nothing away for a null that comes later', () => {
    const nulls = { usage: null, service_tier: null, system_fingerprint: null }
    const late = { ...first, ...nulls, choices: [{ index: 0, delta: {}, finish_reason: null }] }
    expect(fold(bytesOf([...chunks, late]))).toStrictEqual(hello)
  })

  test('orders choices and tool calls by their index', () => {
    const at = (index: number, delta: object) => ({
      ...first,
      choices: [{ index, delta, finish_reason: 'stop' }],
    })
    const stream = bytesOf([
      at(1, { content: 'b' }),
      at(0, { tool_calls: [{ index: 1, ...call('b', '') }] }),
      at(0, { tool_calls: [{ index: 0, ...call('a', '') }] }),
    ])
    const { choices } = fold(stream) as Completion
    expect(choices.map(({ index }) => index)).toEqual([0, 1])
    expect(choices[0]!.message.tool_calls).toStrictEqual([call('a', ''), call('b', '')])
  })

  test('is not named by the chunks of Azure that have no name', async () => {
    const filters = { prompt_filter_results: [{ prompt_index: 0 }] }
    const nameless = { id: '', model: '', object: '', created: 0, choices: [] }
    const stream = bytesOf([{ ...nameless, ...filters }, ...chunks, nameless])
    expect(fold(stream)).toStrictEqual({ ...hello, ...filters })
    expect(await completionInSdk(withoutObfuscation(stream))).toStrictEqual({ ...hello, ...filters })
  })

  test('changes no object but its own', () => {
    const stream = bytesOf([first!]).toString().replace('"role"', '"__proto__":{"polluted":"yes"},"role"')
    fold(stream)
    expect({}).not.toHaveProperty('polluted')
  })

  test.each([
    ['without its last event', frame(first)],
    ['without a chunk', 'data: [DONE]\n\n'],
    ['of what are no chunks', 'data: {"choices":1}\n\ndata: [DONE]\n\n'],
    ['of no JSON', 'data: {\n\ndata: [DONE]\n\n'],
  ])('%s is no completion', (_, stream) => expect(() => fold(stream)).toThrow())
})

/** The SDK keeps it as if it was part of the answer. */
function withoutObfuscation(stream: Buffer): string {
  return stream.toString().replaceAll(',"obfuscation":"aGk4Xw"', '')
}
