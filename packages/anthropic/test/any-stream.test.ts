import { type Mutation, mutated } from '@idem/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { messagesStreams } from '../src/streams.js'
import { type Block, type Message, message } from './messages.js'
import { answer, parsed, sdk, statesOf } from './oracle.js'
import { type Event, eventsOf, frame } from './wire.js'

const text = fc.string({ unit: 'grapheme', maxLength: 8 })
const input = fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
const block: fc.Arbitrary<Block> = fc.oneof(
  fc.record(
    { type: fc.constant('text'), text, citations: fc.constantFrom(null, [], [{ type: 'x' }]) },
    { requiredKeys: ['type', 'text'] },
  ),
  fc.record({ type: fc.constant('thinking'), thinking: text, signature: text }),
  fc.record({
    type: fc.constantFrom('tool_use', 'server_tool_use', 'mcp_tool_use'),
    id: text,
    name: text,
    input,
  }),
  fc.record({ type: fc.constant('compaction'), content: text }),
  fc.record({
    type: fc.constant('fallback'),
    from: fc.constant({ model: 'a' }),
    to: fc.constant({ model: 'b' }),
  }),
  fc.record({ type: fc.constantFrom('redacted_thinking', 'hologram'), data: text }),
)
const stopReason = fc.constantFrom('end_turn', 'max_tokens', 'tool_use', 'tomorrow')
const anyMessage = fc
  .tuple(fc.array(block, { maxLength: 3 }), stopReason)
  .map(([content, stop_reason]): Message => JSON.parse(JSON.stringify(message(content, { stop_reason }))))

/** Member names, some of them known in some place, and some nowhere. */
const name = fc.constantFrom(
  'hologram',
  'type',
  'index',
  'text',
  'thinking',
  'input',
  'partial_json',
  'citation',
  'content',
  'delta',
  'content_block',
  'message',
  'usage',
  'output_tokens',
  'input_tokens',
  'iterations',
  'stop_reason',
  'container',
  'context_management',
  'model',
  'to',
)
const value = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    'x',
    '{"a":1',
    '{',
    '}',
    'end_turn',
    null,
    0,
    1,
    2,
    -1,
    0.5,
    '0',
    true,
    [],
    {},
  ),
  fc.constantFrom<unknown>(
    { hologram: 1 },
    { type: 'text', text: 'x' },
    { type: 'tool_use', id: 'x', name: 'f', input: {} },
    { type: 'text_delta', text: 'x' },
    { type: 'input_json_delta', partial_json: '{}' },
    { type: 'hologram_delta', text: 'x' },
  ),
  fc.constantFrom(
    'text_delta',
    'thinking_delta',
    'input_json_delta',
    'text',
    'tool_use',
    'message_stop',
    'ping',
  ),
  fc.jsonValue({ maxDepth: 2 }),
)
const mutation: fc.Arbitrary<Mutation> = fc.record({
  do: fc.constantFrom('drop', 'repeat', 'swap', 'remove', 'replace', 'add', 'add'),
  event: fc.nat(60),
  place: fc.nat(200),
  name,
  value,
})
const KNOWN_COUNTS = new Set(['input_tokens', 'output_tokens', 'iterations'])
const fewMutations = fc.array(mutation, { maxLength: 3 })
const fromMessage = fc
  .tuple(anyMessage, fc.constantFrom(1, 3, Number.POSITIVE_INFINITY), fewMutations)
  .map(([message, size, mutations]) => mutated(eventsOf(message, size), mutations))

/** Blocks of any content, between a good beginning and a good end. */
const index = fc.constantFrom(0, 0, 0, 1, 1, 2)
const piece = fc.constantFrom('', 'a', '{', '"a":', '1', '}', ' ')
const event = fc.oneof(
  fc.record({
    type: fc.constant('content_block_start'),
    index,
    content_block: fc.constantFrom<Block>(
      { type: 'text', text: '' },
      { type: 'text', text: 'a', citations: null },
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'tool_use', id: 'x', name: 'f', input: {} },
      { type: 'tool_use', id: 'x', name: 'f', input: { a: 1 } },
      { type: 'hologram', text: '' },
    ),
  }),
  fc.record({
    type: fc.constant('content_block_delta'),
    index,
    delta: fc.oneof(
      fc.record({ type: fc.constant('text_delta'), text: piece }),
      fc.record({ type: fc.constant('thinking_delta'), thinking: piece }),
      fc.record({ type: fc.constant('signature_delta'), signature: piece }),
      fc.record({ type: fc.constant('input_json_delta'), partial_json: piece }),
      fc.record({ type: fc.constantFrom('citations_delta', 'hologram_delta'), citation: value }),
    ),
  }),
  fc.record({ type: fc.constant('content_block_stop'), index }),
  fc.record({
    type: fc.constant('message_delta'),
    delta: fc.constantFrom({}, { stop_reason: 'end_turn' }, { stop_reason: null, stop_sequence: null }),
    usage: fc.constantFrom({ output_tokens: 2 }, { output_tokens: 2, input_tokens: null }, {}),
  }),
)
const fromEvents = fc
  .tuple(fc.array(event, { maxLength: 8 }), stopReason, fewMutations)
  .map(([events, stop_reason, mutations]) => {
    const [start, ...end] = eventsOf(message([], { stop_reason }), 1)
    return mutated<Event>([start!, ...(events as Event[]), ...end], mutations.slice(2))
  })

const stream = fc.record({
  events: fc.oneof(fromMessage, fromEvents),
  /** How many bytes are missing at the end. The blank line is one of them. */
  cut: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.constantFrom(1, 2, 30), fc.nat(200)),
  /** One event has another name than its type. The SDK goes by the type. */
  named: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    fc.record({
      event: fc.nat(20),
      name: fc.constantFrom('hologram', 'ping', 'message_stop', 'content_block_delta'),
    }),
  ),
})

function bytesIn({ events, cut, named }: typeof stream extends fc.Arbitrary<infer T> ? T : never): Buffer {
  const frames = events.map((event, at) =>
    frame(named?.event === at ? named.name : String(event.type), event),
  )
  const whole = Buffer.from(frames.join(''))
  return whole.subarray(0, Math.max(0, whole.length - cut))
}

test('any stream folds to what the SDK reads in it, or to nothing: never to another message', async () => {
  let [folds, throws] = [0, 0]
  const property = fc.asyncProperty(stream, async (one) => {
    const bytes = bytesIn(one)
    const read = await sdk(bytes).catch(() => undefined)
    let folded: ReturnType<typeof messagesStreams.fold>
    try {
      folded = messagesStreams.fold(answer(bytes))
    } catch {
      throws++
      return
    }
    folds++
    expect(folded.status).toBe(200)
    expect(parsed(folded)).toStrictEqual(withLateCounts(read as Message | undefined, one.events))
  })
  await fc.assert(property, { numRuns: 1200 })
  // Otherwise this would test nothing.
  expect(folds).toBeGreaterThan(200)
  expect(throws).toBeGreaterThan(300)
}, 120_000)

/** The message with the counts that come at the end and that the SDK passes over because it does not know them. */
function withLateCounts(read: Message | undefined, events: readonly Event[]): Message | undefined {
  const told = events.filter(({ type }) => type === 'message_delta').map(({ usage }) => usage as object)
  const late = told.flatMap((usage) => Object.entries(usage))
  const isCount = ([name, value]: [string, unknown]) => typeof value === 'number' && !KNOWN_COUNTS.has(name)
  // Without such counts the usage stays what it is, even a list, which no real message has.
  if (!read || late.length === 0) return read
  return { ...read, usage: { ...read.usage, ...Object.fromEntries(late.filter(isCount)) } }
}

test('any stream is followed the same way wherever its bytes are cut', () => {
  const property = fc.property(stream, fc.constantFrom(1, 2, 7, 100), (one, piece) => {
    const bytes = bytesIn(one)
    const states = [bytes.length, piece].map((size) => Object.keys(statesOf(bytes, size || 1)))
    expect(states[1]).toStrictEqual(states[0])
  })
  fc.assert(property, { numRuns: 500 })
})
