import { mutated } from '@idem/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chatStreams } from '../src/chat/streams.js'
import { type Choice, type Completion, call, choice, completion, examples, text } from './completions.js'
import { bothWays, completionInSdk } from './oracle.js'

type Json = Record<string, unknown>

const { expand } = bothWays(chatStreams)
const asking = (...tool_calls: unknown[]) =>
  completion([choice({ tool_calls }, { finish_reason: 'tool_calls' })])
const f = (change: object) => ({ ...call('f', '{}'), ...change })

test.each([
  [1, 0],
  [5, 0],
  [0, 0],
  ['x', null],
])('tool calls stream in their order, whatever index of their own they have: %j and %j', async (...own) => {
  const calls = [call('delete', '{"path":"tmp"}'), call('read', '{"path":"home"}')]
  const answer = asking(...calls.map((one, i) => ({ index: own[i], ...one })))
  const stream = expand(answer)
  expect(await completionInSdk(stream)).toStrictEqual(asking(...calls))
  for (const event of String(Buffer.from(stream)).matchAll(/"index":0,"delta":(\{"tool_calls":.*?\]\})/g)) {
    const [delta] = JSON.parse(event[1]!).tool_calls
    // Both deltas of a call have the same place.
    if (delta.id) expect(delta.index).toBe(calls.findIndex(({ id }) => id === delta.id))
    else expect(delta.function.arguments).toBe(calls[delta.index]!.function.arguments)
  }
})

test.each<[string, unknown]>([
  ['message without its role', completion([choice({ role: undefined, content: 'Hi' })])],
  ['message of another role', completion([choice({ role: 'tool', content: 'Hi' })])],
  ['content that is a list', completion([choice({ content: [{ type: 'text', text: 'Hi' }] })])],
  ['content that is a number', completion([choice({ content: 1 })])],
  ['choice without an index', completion([text('Hi', { index: undefined })])],
  ['choice with an index that is text', completion([text('Hi', { index: '0' })])],
  ['choice with half an index', completion([text('Hi', { index: 0.5 })])],
  ['first choice missing', completion([text('Hi', { index: 1 })])],
  ['choice that comes twice', completion([text('a'), text('b')])],
  ['choice that has not finished', completion([text('Hi', { finish_reason: null })])],
  ['choice with an empty reason to finish', completion([text('Hi', { finish_reason: '' })])],
  ['choice without a reason to finish', completion([text('Hi', { finish_reason: undefined })])],
  ['choice with a delta of its own', completion([text('Hi', { delta: { content: 'Hi' } })])],
  ['list without a choice', completion([])],
  ['tool call without an id', asking(f({ id: undefined }))],
  ['tool call with an empty id', asking(f({ id: '' }))],
  ['tool call without a type', asking(f({ type: undefined }))],
  ['tool call without a name', asking(f({ function: { arguments: '{}' } }))],
  ['tool call without arguments', asking(f({ function: { name: 'f' } }))],
  ['tool call with arguments that are null', asking(f({ function: { name: 'f', arguments: null } }))],
  ['tool call with arguments that are an object', asking(f({ function: { name: 'f', arguments: {} } }))],
  ['tool call that is text', asking('f')],
  ['list of tool calls that is an object', completion([choice({ tool_calls: {} })])],
  ['error beside the choices', completion([text('Hi')], { error: { message: 'Oh.' } })],
  ['completion that is named an error', completion([text('Hi')], { object: 'error' })],
  ['logprobs that are text', completion([text('Hi', { logprobs: 'x' })])],
])('no stream is made of an answer with a %s', (_, answer) => {
  expect(() => expand(answer)).toThrow(TypeError)
})

test('an answer without an id streams with its usage', async () => {
  const { id: _, ...rest } = completion([text('Hi')])
  const answer = rest as Completion
  expect(await completionInSdk(expand(answer))).toStrictEqual(answer)
})

test('an answer with null for what it does not have streams all the same', async () => {
  const nulls = { tool_calls: null, function_call: null, audio: null, reasoning_content: null, parsed: null }
  const answer = completion([choice({ content: 'Hi', ...nulls }, { stop_reason: null, token_ids: null })])
  expect(asRead(await completionInSdk(expand(answer)))).toStrictEqual(asRead(answer))
})

describe('any answer', { timeout: 120_000 }, () => {
  const name = fc.constantFrom(
    'hologram',
    'index',
    'id',
    'type',
    'role',
    'name',
    'arguments',
    'content',
    'function',
    'function_call',
    'tool_calls',
    'audio',
    'delta',
    'message',
    'finish_reason',
    'logprobs',
    'object',
    'usage',
    'error',
    'reasoning_details',
    'text',
    'p',
  )
  const value = fc.oneof(
    fc.constantFrom<unknown>('', 'x', 'assistant', 'stop', null, 0, 1, -1, 0.5, '0', true, [], {}),
    fc.constantFrom<unknown>(
      { hologram: 1 },
      { content: [{ token: 'x' }], refusal: null },
      { id: 'x', type: 'function', function: { name: 'f', arguments: '{}' } },
      [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '{}' } }],
      [{ index: 0, type: 'reasoning.text', text: 'x' }],
      [{ type: 'text', text: 'x' }],
    ),
    fc.jsonValue({ maxDepth: 2 }),
  )
  const mutation = fc.record({
    do: fc.constantFrom('remove', 'replace', 'add', 'add'),
    event: fc.constant(0),
    place: fc.nat(60),
    name,
    value,
  })
  // The SDK reads no custom tool calls in a stream.
  const known = examples.filter(({ unlikeSdk }) => unlikeSdk !== 'throws')
  const odd = fc
    .tuple(fc.constantFrom(...known), fc.array(mutation, { maxLength: 3 }))
    .map(
      ([{ completion }, mutations]): Json =>
        JSON.parse(JSON.stringify(mutated<Json>([completion], mutations)[0])),
    )

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
      expect(asRead(await completionInSdk(stream))).toStrictEqual(asRead(answer))
    })
    await fc.assert(property, { numRuns: 1000 })
    expect(expands).toBeGreaterThan(150)
    expect(throws).toBeGreaterThan(150)
  })
})

/** In one form: the SDK leaves out an empty fingerprint, and writes null for texts that are empty or absent. */
function asRead(value: unknown): unknown {
  const { object: _, system_fingerprint, choices, ...rest } = value as Completion
  return {
    ...rest,
    ...(system_fingerprint ? { system_fingerprint } : {}),
    choices: choices.map((choice: Choice) => ({
      ...choice,
      logprobs: choice.logprobs ?? null,
      message: messageAsRead(choice.message),
    })),
  }
}

function messageAsRead({ content, refusal, tool_calls, ...rest }: Json): Json {
  const calls = (tool_calls as Json[] | null | undefined)?.map(({ index, ...call }) => call)
  const members = { ...rest, content: content || null, refusal: refusal || null, tool_calls: calls }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => (value ?? null) !== null))
}
