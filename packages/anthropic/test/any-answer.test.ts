import { mutated } from '@idem/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Block, examples, message } from './messages.js'
import { expand, sdk } from './oracle.js'

type Json = Record<string, unknown>

const saying = (...content: unknown[]) => message(content as Block[])
const tool = (change: object) =>
  message([{ type: 'tool_use', id: 't', name: 'f', input: {}, ...change }], { stop_reason: 'tool_use' })

test.each<[string, unknown]>([
  ['content that is text', { ...saying(), content: 'Hi' }],
  ['a block that is text', saying('Hi')],
  ['a text that is null', saying({ type: 'text', text: null })],
  ['a text without its text', saying({ type: 'text' })],
  ['thinking that is null', saying({ type: 'thinking', thinking: null, signature: 'x' })],
  ['a tool without its input', tool({ input: undefined })],
  ['a tool with an input that is null', tool({ input: null })],
  ['a tool with an input that is text', tool({ input: '{"a":1}' })],
  ['a tool with an input that is a list', tool({ input: [1] })],
  ['a fallback to another model than its own', saying({ type: 'fallback', to: { model: 'x' } })],
  ['no count of the output', { ...saying(), usage: { input_tokens: 1 } }],
])('no stream is made of a message with %s', (_, answer) => {
  expect(() => expand(answer)).toThrow()
})

describe('any message', { timeout: 120_000 }, () => {
  const name = fc.constantFrom(
    'hologram',
    'type',
    'index',
    'id',
    'role',
    'text',
    'thinking',
    'signature',
    'input',
    'citations',
    'content',
    'usage',
    'output_tokens',
    'iterations',
    'stop_reason',
    'stop_sequence',
    'stop_details',
    'container',
    'context_management',
    'model',
    'to',
    'error',
  )
  const value = fc.oneof(
    fc.constantFrom<unknown>('', 'x', '{"a":1', 'end_turn', 'tool_use', null, 0, 1, -1, 0.5, true, [], {}),
    fc.constantFrom<unknown>(
      { hologram: 1 },
      { type: 'text', text: 'x' },
      { type: 'tool_use', id: 'x', name: 'f', input: { a: [1] } },
      [{ type: 'text', text: 'x' }],
    ),
    fc.constantFrom('text', 'thinking', 'tool_use', 'compaction', 'fallback', 'message'),
    fc.jsonValue({ maxDepth: 2 }),
  )
  const mutation = fc.record({
    do: fc.constantFrom('remove', 'replace', 'add', 'add'),
    event: fc.constant(0),
    place: fc.nat(80),
    name,
    value,
  })
  const odd = fc
    .tuple(fc.constantFrom(...examples), fc.array(mutation, { maxLength: 3 }))
    .map(([{ message }, mutations]): Json => json(mutated<Json>([message], mutations)[0]))

  test('expands to a stream in which the SDK reads the same, or to none', async () => {
    let [expands, throws] = [0, 0]
    const property = fc.asyncProperty(odd, async (answer) => {
      let stream: Uint8Array
      try {
        stream = expand(answer)
      } catch {
        throws++
        return
      }
      expands++
      // Not strictly: an input may have a member that is named `constructor`.
      expect(await sdk(stream)).toEqual(answer)
    })
    await fc.assert(property, { numRuns: 1000 })
    expect(expands).toBeGreaterThan(150)
    expect(throws).toBeGreaterThan(80)
  })
})

/** As it is after a trip through JSON. */
function json(value: unknown): Json {
  return JSON.parse(JSON.stringify(value))
}
