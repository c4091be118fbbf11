import { readEvents } from '@idem/core/dialect'
import { mutated } from '@idem/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { responsesStreams } from '../src/responses/streams.js'
import { bothWays, responseInSdk } from './oracle.js'
import { call, examples, message, response, text } from './responses.js'

type Json = Record<string, unknown>

const { expand } = bothWays(responsesStreams)

const reasoning = (change: Json) => ({ type: 'reasoning', id: 'r', summary: [], ...change })

test.each<[string, unknown]>([
  ['message whose content is text', { type: 'message', content: 'Hi' }],
  ['message without content', { type: 'message' }],
  ['message with a part that is text', { type: 'message', content: ['Hi'] }],
  ['text that is null', message(text(null as unknown as string))],
  ['text that is a number', message(text(1 as unknown as string))],
  ['text that is missing', message(text(undefined as unknown as string))],
  ['refusal that is not a text', message({ type: 'refusal', refusal: null })],
  ['annotation beside its list', message(text('Hi', { annotations: {} }))],
  ['function call without arguments', call({ arguments: undefined })],
  ['function call with arguments that are an object', call({ arguments: {} })],
  ['custom tool call without its input', { type: 'custom_tool_call', name: 'f' }],
  ['summary that is not a list', reasoning({ summary: 'Hm' })],
  ['summary without its text', reasoning({ summary: [{ type: 'summary_text' }] })],
  ['thought that is not a text', reasoning({ content: [{ type: 'reasoning_text', text: 1 }] })],
  ['item that is text', 'Hi'],
])('no stream is made of a response with a %s', (_, item) => {
  expect(() => expand(response([item as never]))).toThrow()
})

const name = fc.constantFrom(
  'hologram',
  'type',
  'id',
  'text',
  'refusal',
  'annotations',
  'logprobs',
  'arguments',
  'input',
  'content',
  'summary',
  'output',
  'status',
  'usage',
  'error',
)
const value = fc.oneof(
  fc.constantFrom<unknown>('', 'x', 'message', 'reasoning', 'output_text', null, 0, 1, true, [], {}),
  fc.constantFrom<unknown>([{ type: 'output_text', text: 'x' }], { type: 'function_call', arguments: '{}' }, [
    { type: 'hologram' },
  ]),
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
  .tuple(fc.constantFrom(...examples), fc.array(mutation, { maxLength: 4 }))
  .map(
    ([{ response }, mutations]): Json => JSON.parse(JSON.stringify(mutated<Json>([response], mutations)[0])),
  )

test('any response expands to a stream in which the SDK reads the same, every delta text, or to none', async () => {
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
    const { output_text: _, ...whole } = answer
    expect(await responseInSdk(stream)).toEqual(whole)
    for (const { data } of readEvents(stream)) {
      const { type, delta } = JSON.parse(data)
      if (type.endsWith('.delta')) expect(delta).toEqual(expect.any(String))
    }
  })
  await fc.assert(property, { numRuns: 1000 })
  expect(expands).toBeGreaterThan(150)
  expect(throws).toBeGreaterThan(80)
}, 120_000)
