import { eventReader, readEvents } from '@idem/core/dialect'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { messagesStreams as streams } from '../src/streams.js'
import { examples, inputs, type Message, message } from './messages.js'
import { answer, expand, fold, foldAsTheSdk, readBySdk, statesOf } from './oracle.js'
import { bytesOf, cut, type Event, eventsOf, writings } from './wire.js'

async function expandAndFoldBack(message: Message, beta = false): Promise<void> {
  const stream = expand(message)
  expect(fold(stream)).toStrictEqual(message)
  expect(await readBySdk(stream, beta)).toStrictEqual(message)
}

test('the examples are sixty at least, each of its own name', () => {
  expect(examples.length).toBeGreaterThanOrEqual(60)
  expect(new Set(examples.map(({ name }) => name)).size).toBe(examples.length)
})

describe.each([Number.POSITIVE_INFINITY, 3, 1])('a stream in deltas of %s code points', (size) => {
  test.each(examples.map((example, i) => ({ ...example, writing: writings[i % writings.length]! })))(
    'folds to the message the SDK reads in it, and is whole when its last event is there: $name',
    async ({ message, beta, writing }) => {
      const stream = bytesOf(eventsOf(message, size), writing)
      expect(await foldAsTheSdk(stream, beta)).toStrictEqual(message)
      for (const piece of [stream.length, 3, 1]) {
        const { running, whole, ...others } = statesOf(stream, piece)
        expect({ running, ...others }).toStrictEqual({ running: 0 })
        // It does not wait for the LF of a CRLF.
        expect(whole).toBeGreaterThan(stream.length - (writing.newline?.length ?? 1))
      }
    },
  )
})

test.each(writings)('a stream has the same events wherever its bytes are cut, written with %j', (writing) => {
  const events = eventsOf(message(examples.flatMap(({ message }) => message.content)), 2)
  const stream = bytesOf(events, writing)
  for (const size of [1, 2, 3, 5, 64]) {
    const read: unknown[] = []
    const push = eventReader(({ data }) => read.push(JSON.parse(data)))
    for (let at = 0; at < stream.length; at += size) push(stream.subarray(at, at + size))
    expect(read).toStrictEqual(events)
  }
})

describe('a message', () => {
  test.each(examples)(
    'expands to a stream in which the SDK reads it, and folds back, no key more or less: $name',
    ({ message, beta }) => expandAndFoldBack(message, beta),
  )

  test.each(examples.filter(({ name }) => !name.includes('compaction')))(
    'expands to blocks that begin as empty as those of the API: $name',
    ({ message }) => {
      const begun = eventsOf(message, 1).filter(({ type }) => type === 'content_block_start')
      const events = readEvents(expand(message)).map(({ data }) => JSON.parse(data))
      expect(events.filter(({ type }) => type === 'content_block_start')).toStrictEqual(begun)
    },
  )

  test('keeps its status and headers both ways', () => {
    const { body, ...rest } = answer(JSON.stringify(examples[0]!.message))
    const expanded = streams.expand({ ...rest, body })
    expect(expanded).toStrictEqual({ ...rest, body: expanded.body })
    expect(streams.fold(expanded)).toMatchObject(rest)
  })
})

describe('any message', { timeout: 30_000 }, () => {
  const stringUnit = 'binary'
  const text = fc.string({ unit: stringUnit, maxLength: 20 })
  const json = fc.jsonValue({ stringUnit, maxDepth: 3 })
  const input = fc.dictionary(text, json, { maxKeys: 4 })
  const citation = fc.record({
    type: fc.constantFrom('char_location', 'hologram_location'),
    cited_text: text,
  })
  const block = fc.oneof(
    fc.record(
      { type: fc.constant('text'), text, citations: fc.option(fc.array(citation, { maxLength: 3 })) },
      { requiredKeys: ['type', 'text'] },
    ),
    fc.record({ type: fc.constant('thinking'), thinking: text, signature: text }),
    fc.record({ type: fc.constant('redacted_thinking'), data: text }),
    fc.record({ type: fc.constantFrom('tool_use', 'server_tool_use'), id: text, name: text, input }),
    fc.record({
      type: fc.constantFrom('web_search_tool_result', 'hologram'),
      content: json,
      input: json,
      text,
    }),
  )
  const count = fc.option(fc.nat())
  const usage = fc.record(
    {
      input_tokens: fc.nat(),
      output_tokens: fc.nat(),
      cache_read_input_tokens: count,
      cache_creation_input_tokens: count,
      server_tool_use: fc.option(fc.record({ web_search_requests: fc.nat() })),
      service_tier: fc.option(text),
    },
    { requiredKeys: ['input_tokens', 'output_tokens'] },
  )
  const change = fc.record({ usage, stop_reason: text, stop_sequence: fc.option(text), hologram: json })
  const anyMessage = fc
    .tuple(fc.array(block, { maxLength: 5 }), change)
    .map(([content, change]): Message => JSON.parse(JSON.stringify(message(content, change))))
  const size = fc.constantFrom(1, 2, 7, Number.POSITIVE_INFINITY)

  test('is the one its stream folds to, however it is cut', async () => {
    const property = fc.asyncProperty(
      anyMessage,
      size,
      fc.constantFrom(...writings),
      async (one, size, writing) => {
        expect(await foldAsTheSdk(bytesOf(eventsOf(one, size), writing))).toStrictEqual(one)
      },
    )
    await fc.assert(property, { numRuns: 300 })
  })

  test('expands to a stream in which the SDK reads it, and folds back', async () => {
    const property = fc.asyncProperty(anyMessage, (one) => expandAndFoldBack(one))
    await fc.assert(property, { numRuns: 300 })
  })

  test('has the same cut tool input as the SDK reads', async () => {
    // `__proto__` is a name like any other to JSON.parse, and so to the SDK. The parser of cut text makes a prototype of
    // it, which is in no JSON: it gets lost, from an input that is not whole anyway.
    const tame = fc
      .tuple(fc.dictionary(text, fc.jsonValue({ stringUnit, maxDepth: 2 }), { maxKeys: 2 }), fc.nat(2))
      .map(([input, indent]) => JSON.stringify(input, null, indent))
      .filter((input) => input.length < 200 && !input.includes('__proto__'))
    const property = fc.asyncProperty(tame, size, fc.boolean(), async (input, size, stops) => {
      await foldAsTheSdk(cutEverywhere(input, size, stops))
    })
    await fc.assert(property, { numRuns: 50 })
  })
})

describe('a message that ends in the middle of a tool input', () => {
  const oddly = [
    '{"a": -0 , "b":[1E21 ,1.0e+2\t, 12345678901234567890 ]\n}',
    '{ "a" : true , "a" : [ null ] } ',
  ]
  const written = Object.values(inputs).flatMap((one) => [JSON.stringify(one), JSON.stringify(one, null, 2)])

  test.each([...written, ...oddly])(
    'has the part of it the SDK reads, wherever that is: %j',
    async (text) => {
      for (const stops of [true, false]) await foldAsTheSdk(cutEverywhere(text, 5, stops))
    },
  )
})

/**
 * A message stopped by `max_tokens` at each place where that can be within a tool input, each in a block of its own.
 */
function cutEverywhere(input: string, size: number, stops: boolean): Buffer {
  const blocks = [...input].flatMap((_, index): Event[] => {
    const deltas = cut(input.slice(0, index + 1), size).map((partial_json) => ({
      type: 'content_block_delta',
      index,
      delta: { type: 'input_json_delta', partial_json },
    }))
    const content_block = { type: 'tool_use', id: 'toolu_01', name: 'n', input: {} }
    return [
      { type: 'content_block_start', index, content_block },
      ...deltas,
      ...(stops ? [{ type: 'content_block_stop', index }] : []),
    ]
  })
  const around = eventsOf(message([], { stop_reason: 'max_tokens' }), 1)
  return bytesOf([...around.slice(0, -2), ...blocks, ...around.slice(-2)])
}
