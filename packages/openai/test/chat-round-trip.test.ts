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
    'is not what has another shape: %j',
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
  /** A delta of a tool call, correct but for this. */
  const calling = (change: object) => ({ tool_calls: [{ ...call('weather', '{}'), ...change }] })

  test('folds without comments, nor what comes after the last event', () => {
    const stream = `: hi\n\n${bytesOf(chunks)}${frame({ choices: [] })}data: {\n\n`
    expect(fold(stream)).toStrictEqual(hello)
  })

  test('keeps members of a delta not known yet that come once, or the same again', async () => {
    const hologram = { width: [3], text: 'x' }
    const deltas = [{ hologram }, { hologram, list: [1] }, { list: [1], none: null }, { none: 1 }]
    const { choices } = fold(withChunks(...deltas.map(delta))) as Completion
    const { message } = hello.choices[0]!
    expect(choices[0]!.message).toStrictEqual({ ...message, hologram, list: [1], none: 1 })
    expect(await completionInSdk(withChunks(...deltas.map(delta)))).toMatchObject({ choices })
  })

  test.each<[string, object, object]>([
    ['text', { hologram: 'a' }, { hologram: 'b' }],
    ['text that is empty first', { hologram: '' }, { hologram: 'b' }],
    ['a list', { hologram: [1] }, { hologram: [2] }],
    ['an object', { hologram: { a: 1 } }, { hologram: { b: 1 } }],
    ['a number', { hologram: 1 }, { hologram: 2 }],
    ['a value that is taken away', { hologram: 1 }, { hologram: null }],
    ['annotations', { annotations: [1] }, { annotations: [2] }],
    ['text in a tool call', calling({ index: 0, hologram: 'a' }), calling({ index: 0, hologram: 'b' })],
  ])('does not fold where a member not known yet comes twice: %s', (_, first, second) => {
    expect(() => fold(withChunks(delta(first), delta(second)))).toThrow(TypeError)
  })

  test.each<[string, object]>([
    ['content that is a list', { content: [{ type: 'text', text: 'x' }] }],
    ['content that is a number', { content: 1 }],
    ['arguments that are an object', calling({ index: 0, function: { name: 'f', arguments: {} } })],
    ['a call without an index', calling({ function: { name: 'f', arguments: '' } })],
    ['a call with an index that is text', calling({ index: '0' })],
    ['a call with half an index', calling({ index: 0.5 })],
    ['a call that is not the next', calling({ index: 1 })],
    ['a call without an id', calling({ index: 0, id: null })],
    ['a call without a name', calling({ index: 0, function: { arguments: '' } })],
    ['a call without arguments', calling({ index: 0, function: { name: 'f' } })],
    ['a call without a type', calling({ index: 0, type: null })],
    ['a call of a type not known yet', calling({ index: 0, type: 'hologram' })],
    [
      'a function with a member not known yet',
      calling({ index: 0, function: { name: 'f', arguments: '', x: 1 } }),
    ],
    ['calls that are no list', { tool_calls: {} }],
    ['another role', { role: 'user' }],
    ['a delta that is text', 'x' as unknown as object],
    ['a prototype', JSON.parse('{"__proto__":{"polluted":"yes"}}')],
  ])('does not fold with %s', (_, one) => {
    expect(() => fold(withChunks(delta(one)))).toThrow(TypeError)
    expect({}).not.toHaveProperty('polluted')
  })

  test.each<[string, object[]]>([
    [
      'ids',
      [
        { index: 0, ...call('a', '{"x":1}') },
        { index: 0, ...call('a', '{"y":2}', 'another') },
      ],
    ],
    [
      'names',
      [
        { index: 0, ...call('a', '{"x":1}', 'id') },
        { index: 0, ...call('b', '{"y":2}', 'id') },
      ],
    ],
    [
      'types',
      [
        { index: 0, ...call('a', '{"x":1}') },
        { index: 0, type: 'custom' },
      ],
    ],
  ])('never makes one call of two that have one index, and other %s', (_, calls) => {
    for (const deltas of [[{ tool_calls: calls }], calls.map((one) => ({ tool_calls: [one] }))]) {
      expect(() => fold(withChunks(...deltas.map(delta)))).toThrow(TypeError)
    }
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

  describe('has the details of its reasoning', () => {
    const details = (...reasoning_details: object[]) => delta({ reasoning_details })
    const summary = (summary: string) => ({ type: 'reasoning.summary', summary, format: 'x', index: 0 })
    const messageOf = (...chunks: object[]) => (fold(withChunks(...chunks)) as Completion).choices[0]!.message

    test('joined where it comes in pieces, another type or id being another item', () => {
      const encrypted = { type: 'reasoning.encrypted', data: 'E', format: 'x', index: 0 }
      const { reasoning, reasoning_content, reasoning_details } = messageOf(
        delta({ reasoning: 'Hm', reasoning_content: 'Well', content: null }),
        delta({ reasoning: ' …', reasoning_content: null }),
        details(summary('one, '), { ...summary('') }),
        details(summary('two')),
        details(encrypted),
        details({ ...summary('a'), id: 'r', index: 1 }, { ...summary('b'), id: null, index: 1 }),
        details({ ...summary('c'), id: 's', index: 1 }),
        details({ type: 'reasoning.text', text: 'T', signature: null, index: 2 }),
        details({ type: 'reasoning.text', text: '', signature: 'S', index: 2 }),
      )
      expect({ reasoning, reasoning_content }).toStrictEqual({ reasoning: 'Hm …', reasoning_content: 'Well' })
      expect(reasoning_details).toStrictEqual([
        summary('one, two'),
        encrypted,
        { ...summary('ab'), id: 'r', index: 1 },
        { ...summary('c'), id: 's', index: 1 },
        { type: 'reasoning.text', text: 'T', signature: 'S', index: 2 },
      ])
    })

    test.each<[string, object[]]>([
      ['an item goes on after another', [summary('a'), { ...summary('b'), type: 'x' }, summary('c')]],
      ['an item has no index', [{ type: 'reasoning.text', text: 'a' }]],
      [
        'two are signed',
        [
          { type: 'x', signature: 'a', index: 0 },
          { type: 'x', signature: 'b', index: 0 },
        ],
      ],
      [
        'two have other data',
        [
          { type: 'x', data: 'a', index: 0 },
          { type: 'x', data: 'b', index: 0 },
        ],
      ],
    ])('or does not fold where %s', (_, items) => {
      expect(() => messageOf(...items.map((one) => details(one)))).toThrow(TypeError)
    })
  })

  test.each([{ usage: null }, { service_tier: null }, { hologram: null }])(
    'does not fold where something is taken away later: %j',
    (nulls) => {
      const late = (more: object) => ({ ...first, ...more, choices: [{ index: 0, delta: {} }] })
      expect(() => fold(bytesOf([...chunks, late({ hologram: 1 }), late(nulls)]))).toThrow(TypeError)
    },
  )

  test('takes the latest of what is told again about the completion', async () => {
    const late = (more: object) => ({ ...first, ...more, choices: [] })
    const more = [
      { usage: { prompt_tokens: 1 }, x_groq: { id: 'a' } },
      { usage: { prompt_tokens: 2 }, x_groq: { id: 'a', usage: {} } },
    ]
    const stream = bytesOf([...chunks, ...more.map(late)])
    expect(fold(stream)).toStrictEqual({ ...hello, ...more[1] })
    expect(await completionInSdk(withoutObfuscation(stream))).toStrictEqual({ ...hello, ...more[1] })
    expect(() => fold(bytesOf([...chunks, late({ said: 'a' }), late({ said: 'b' })]))).toThrow(TypeError)
  })

  test('counts logprobs once, and does not fold where the SDK would count them twice', async () => {
    const token = (token: string) => ({ token, logprob: -1, bytes: null, top_logprobs: [] })
    const logged = (index: number, content: object[]) => ({
      ...first,
      choices: [
        {
          index,
          delta: { role: 'assistant', content: '' },
          logprobs: { content, refusal: null },
          finish_reason: 'stop',
        },
      ],
    })
    const good = bytesOf([logged(0, []), logged(0, [token('a')]), logged(0, [token('b')])])
    expect((fold(good) as Completion).choices[0]!.logprobs).toStrictEqual({
      content: [token('a'), token('b')],
      refusal: null,
    })
    expect(() => fold(bytesOf([logged(0, [token('a')])]))).toThrow(TypeError)
  })

  test('orders choices and tool calls by their index', () => {
    const at = (index: number, delta: object) => ({
      ...first,
      choices: [{ index, delta, finish_reason: 'stop' }],
    })
    const stream = bytesOf([
      at(1, { role: 'assistant', content: 'b' }),
      at(0, { role: 'assistant', tool_calls: [{ index: 1, ...call('b', '') }] }),
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

  test.each([
    ['without its last event', frame(first)],
    ['without a reason to finish', bytesOf(chunks.slice(0, 2)).toString()],
    [
      'without a reason to finish a second choice',
      bytesOf([...chunks, { ...first, choices: [{ index: 1, delta: {} }] }]).toString(),
    ],
    [
      'without its first choice',
      bytesOf([
        { ...first, choices: [{ index: 1, delta: { role: 'assistant' }, finish_reason: 'stop' }] },
      ]).toString(),
    ],
    ['without its role', bytesOf(chunks.slice(1)).toString()],
    ['without a choice', bytesOf([{ ...first, choices: [] }]).toString()],
    ['without a chunk', 'data: [DONE]\n\n'],
    ['of what are no chunks', 'data: {"choices":1}\n\ndata: [DONE]\n\n'],
    ['of no JSON', 'data: {\n\ndata: [DONE]\n\n'],
  ])('%s is no completion', (_, stream) => expect(() => fold(stream)).toThrow())

  test('is a completion without its [DONE], where each choice has finished', async () => {
    const stream = chunks.map(frame).join('')
    for (const end of ['', 'data: [DONE]', 'data: [DONE]\n', 'data: {"choices":']) {
      expect(fold(stream + end)).toStrictEqual(hello)
      expect(await completionInSdk(withoutObfuscation(Buffer.from(stream + end)))).toStrictEqual(hello)
    }
  })
})

/** The SDK keeps it as if it were part of the answer. */
function withoutObfuscation(stream: Buffer): string {
  return stream.toString().replaceAll(',"obfuscation":"aGk4Xw"', '')
}
