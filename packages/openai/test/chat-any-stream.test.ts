import { readEvents } from '@idem/core/dialect'
import { type Mutation, mutated } from '@idem/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chatStreams } from '../src/chat/streams.js'
import { bytesOf, chunksOf } from './chat-wire.js'
import { type Choice, type Completion, call, choice, completion } from './completions.js'
import { answer, completionInSdk, parsed, statesOf } from './oracle.js'

type Json = Record<string, unknown>

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
const calls = fc.array(
  fc.record({ name: text, args: text, id: text }).map(({ name, args, id }) => call(name, args, id)),
  { minLength: 1, maxLength: 3 },
)
const said = fc.oneof(
  fc.record({ content: text }),
  fc.record({ refusal: text }),
  fc.record({ content: fc.option(text), tool_calls: calls }),
  fc.record({ function_call: fc.record({ name: text, arguments: text }) }),
  fc.record({ audio: fc.record({ id: text, data: text, transcript: text, expires_at: fc.nat() }) }),
)
const one = fc
  .record({ said, finish_reason: fc.constantFrom('stop', 'length', 'tool_calls', 'tomorrow') })
  .map(({ said, ...rest }) => choice(said as Json, rest))
const usage = fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat() })
const anyCompletion = fc
  .tuple(
    fc.array(one, { minLength: 1, maxLength: 3 }),
    fc.record({ id: text, usage }, { requiredKeys: ['id'] }),
  )
  .map(([choices, change]): Completion => {
    const numbered = choices.map((choice: Choice, index) => ({ ...choice, index }))
    const { usage: counts, ...rest } = completion(numbered)
    return JSON.parse(JSON.stringify({ ...rest, ...change }))
  })

/**
 * Member names, some of them known in some place, and some nowhere. Without those the SDK leaves out, and those that
 * fold joins and the SDK does not.
 */
const name = fc.constantFrom(
  'hologram',
  'index',
  'id',
  'type',
  'role',
  'name',
  'arguments',
  'content',
  'refusal',
  'function',
  'function_call',
  'tool_calls',
  'audio',
  'data',
  'delta',
  'message',
  'choices',
  'finish_reason',
  'logprobs',
  'object',
  'error',
)
const value = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    'x',
    'assistant',
    'function',
    'stop',
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
    { content: [{ token: 'x' }], refusal: null },
    { id: 'x', type: 'function', function: { name: 'f', arguments: '{}' } },
    [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '{}' } }],
    [{ index: 0, delta: { content: 'x' } }],
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
const fewMutations = fc.array(mutation, { maxLength: 3 })
const fromCompletion = fc
  .tuple(anyCompletion, fc.constantFrom(1, 3, Number.POSITIVE_INFINITY), fewMutations)
  .map(([completion, size, mutations]) => mutated(chunksOf(completion, size), mutations))

/** Deltas of any content, between a good beginning and a good end. */
const at = fc.constantFrom(0, 0, 0, 1, 1, 2)
const piece = fc.constantFrom('', 'a', 'b', null)
const id = fc.constantFrom('', 'x', 'x', 'y', null)
const delta = fc.oneof(
  fc.record({ content: piece }),
  fc.record({ role: fc.constantFrom('assistant', 'assistant', '', null, 'tool'), refusal: piece }),
  fc.record({ hologram: value, thought: fc.constantFrom('a', 'a', null) }),
  fc.record({
    audio: fc.record({ id, data: piece, transcript: piece, expires_at: at }, { requiredKeys: [] }),
  }),
  fc.record({ function_call: fc.record({ name: id, arguments: piece }, { requiredKeys: [] }) }),
  fc.record({
    tool_calls: fc.array(
      fc.record(
        {
          index: at,
          id,
          type: fc.constantFrom('function', 'function', null, 'custom'),
          function: fc.record({ name: id, arguments: piece }, { requiredKeys: [] }),
          hologram: fc.constantFrom('a', 'b', { a: 1 }),
        },
        { requiredKeys: ['index'] },
      ),
      { maxLength: 2 },
    ),
  }),
)
const head = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' }
const chunk = fc
  .record({
    choices: fc.array(
      fc.record(
        {
          index: at,
          delta,
          finish_reason: fc.constantFrom(null, null, null, 'stop'),
          logprobs: fc.constantFrom(
            null,
            {},
            { content: [], refusal: null },
            { content: [{ token: 'a' }], refusal: null },
          ),
          hologram: fc.constantFrom('a', 'b', null, [1]),
        },
        { requiredKeys: ['index', 'delta'] },
      ),
      { maxLength: 2 },
    ),
    more: fc.record(
      {
        usage: fc.constantFrom(null, { prompt_tokens: 1 }),
        hologram: fc.constantFrom('a', 'b', { a: 1 }, null),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ choices, more }) => ({ ...head, choices, ...more }))
const fromDeltas = fc
  .tuple(
    fc.array(chunk, { maxLength: 5 }),
    fc.constantFrom([0], [0], [0, 1], [0, 1], [1], [1, 2]),
    fewMutations,
  )
  .map(([chunks, places, mutations]) => {
    const choices = (more: object) => places.map((index) => ({ index, ...more }))
    const first = { ...head, choices: choices({ delta: { role: 'assistant', content: '' } }) }
    const last = { ...head, choices: choices({ delta: {}, finish_reason: 'stop' }) }
    return mutated<Json>([first, ...chunks, last], mutations.slice(1))
  })
const stream = fc.record({
  chunks: fc.oneof(fromCompletion, fromDeltas),
  /** How many bytes are missing at the end: `[DONE]` and its blank line are fourteen. */
  cut: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.constantFrom(1, 2, 7, 14), fc.nat(200)),
})

test('any chat stream folds to what the SDK reads in it, or to nothing: never to another completion', async () => {
  let [folds, throws] = [0, 0]
  const property = fc.asyncProperty(stream, async ({ chunks, cut }) => {
    const whole = bytesOf(chunks)
    const bytes = whole.subarray(0, Math.max(0, whole.length - cut))
    const read = await completionInSdk(bytes).then(asRead, () => undefined)
    let folded: ReturnType<typeof chatStreams.fold>
    try {
      folded = chatStreams.fold(answer(bytes))
    } catch {
      throws++
      return
    }
    if (folded.status !== 200) {
      // An error that the SDK throws.
      expect(read).toBeUndefined()
      return
    }
    folds++
    // The SDK passes over a count in a chunk without an id. It is a total all the same.
    const counts = lastUsage(bytes)
    expect(asRead(parsed(folded))).toStrictEqual(counts === undefined ? read : { ...read, usage: counts })
  })
  const part = (delta: object) => ({ index: 0, delta })
  const chunk = (...choices: object[]) => ({ ...head, choices }) as Json
  // Found once: in the SDK, a function call that never had a text of arguments is an error.
  const emptyArguments = [
    chunk(part({ role: 'assistant', content: '' })),
    chunk(part({ function_call: { name: 'x' } }), part({ function_call: { arguments: '' } })),
    chunk({ ...part({}), finish_reason: 'stop' }),
  ]
  await fc.assert(property, { numRuns: 1200, examples: [[{ chunks: emptyArguments, cut: 0 }]] })
  // Otherwise this would test nothing.
  expect(folds).toBeGreaterThan(300)
  expect(throws).toBeGreaterThan(200)
}, 120_000)

test('any chat stream is followed the same way wherever its bytes are cut', () => {
  const sizes = fc.constantFrom(1, 2, 7, 100)
  const property = fc.property(stream, sizes, ({ chunks, cut }, piece) => {
    const whole = bytesOf(chunks)
    const bytes = whole.subarray(0, Math.max(0, whole.length - cut))
    const states = [bytes.length, piece].map((size) => Object.keys(statesOf(chatStreams, bytes, size || 1)))
    expect(states[1]).toStrictEqual(states[0])
  })
  fc.assert(property, { numRuns: 500 })
})

/** What the last chunk that counts says. */
function lastUsage(stream: Uint8Array): unknown {
  const data = readEvents(stream).map((event) => event.data)
  const chunks = data.filter((one) => one !== '[DONE]').map((one): Json => JSON.parse(one))
  return chunks.findLast(({ usage }) => (usage ?? null) !== null)?.usage
}

/** In one form: the SDK writes null for what is absent, and leaves out what is empty. */
function asRead(value: unknown): Json {
  const { obfuscation: _, system_fingerprint, choices, ...rest } = value as Completion
  return {
    ...rest,
    ...(system_fingerprint ? { system_fingerprint } : {}),
    // Null where one is missing.
    choices: choices.map(
      (choice: Choice | null) =>
        choice && {
          ...choice,
          logprobs: choice.logprobs ?? null,
          message: {
            ...choice.message,
            content: choice.message.content || null,
            refusal: choice.message.refusal || null,
          },
        },
    ),
  }
}
