import { describe, expect, test } from 'vitest'
import { chatStreams } from '../src/chat/streams.js'
import { bytesOf, chunksOf } from './chat-wire.js'
import { type Completion, completion, text } from './completions.js'
import { bothWays } from './oracle.js'

const { fold } = bothWays(chatStreams)
const [first] = chunksOf(completion([text('Hé!')]), 1)

describe('a stream of a provider that has members of its own in each chunk', () => {
  const { id: _, ...unnamed } = first!
  const said = (content: string, more: object = {}, inDelta: object = {}, inChoice: object = {}) => ({
    ...first,
    choices: [{ index: 0, delta: { role: 'assistant', content, ...inDelta }, ...inChoice }],
    ...more,
  })
  const counts = (completion_tokens: number) => ({ prompt_tokens: 3, completion_tokens })
  const end = { index: 0, delta: {}, finish_reason: 'stop' }
  const offsets = (end_offset: number) => ({ check_offset: 0, start_offset: 0, end_offset })
  const filter = (end_offset: number, severity: string) => ({
    content_filter_results: { hate: { filtered: false, severity } },
    content_filter_offsets: offsets(end_offset),
  })
  const note = (choice: object) => ({
    id: '',
    object: '',
    created: 0,
    model: '',
    choices: [{ index: 0, finish_reason: null, ...choice }],
  })
  const together = (text: string, token_id: number, more: object = {}) =>
    said(text, {}, { token_id, tool_calls: null }, { text, seed: null, logprobs: null, ...more })

  test.each<[string, object[], object]>([
    [
      'padding of Mistral',
      [said('a', { p: 'xyz' }), said('b', { p: '' }), { ...first, choices: [end], p: 'x', usage: counts(2) }],
      { choices: [{ message: { content: 'ab' } }], usage: counts(2) },
    ],
    [
      'the text and the token of Together beside its delta',
      [together('a', 5), together('b', 6), together('', 7, { finish_reason: 'stop', seed: 12 })],
      { choices: [{ message: { content: 'ab', token_id: 7 }, seed: 12, finish_reason: 'stop' }] },
    ],
    [
      'filters of Azure that come later than the text',
      [said('ab'), note(filter(2, 'low')), { ...first, choices: [end] }, note(filter(9, 'safe'))],
      { choices: [{ message: { content: 'ab' }, ...filter(9, 'safe') }], id: first!.id },
    ],
    [
      'tokens of vLLM that are null',
      [
        said('a', { prompt_token_ids: null }, {}, { token_ids: null, stop_reason: null }),
        said('b', {}, {}, { token_ids: null, stop_reason: null }),
        { ...first, choices: [{ ...end, stop_reason: null }] },
      ],
      { choices: [{ message: { content: 'ab' }, token_ids: null, stop_reason: null }] },
    ],
    [
      'counts in chunks without an id',
      [
        { ...unnamed, ...said('a', { id: undefined, usage: counts(0) }) },
        { ...unnamed, ...said('b', { id: undefined, usage: counts(1) }) },
        { ...unnamed, choices: [end], usage: counts(2) },
        { ...unnamed, choices: [], usage: null },
      ],
      { choices: [{ message: { content: 'ab' } }], usage: counts(2) },
    ],
    [
      'counts in the last chunk, the only one without an id',
      [said('a'), { ...first, choices: [end] }, { ...unnamed, choices: [], usage: counts(2) }],
      { usage: counts(2), id: first!.id },
    ],
    [
      'counts in the last chunk, whose id is empty',
      [said('a'), { ...first, choices: [end] }, { ...note({}), choices: [], usage: counts(2) }],
      { usage: counts(2), id: first!.id, model: first!.model, created: first!.created },
    ],
    [
      'counts in chunks whose ids are all empty',
      [
        said('a', { id: '' }),
        { ...first, id: '', choices: [end] },
        { ...first, id: '', choices: [], usage: counts(2) },
      ],
      { usage: counts(2), id: '' },
    ],
  ])('folds with %s', (_, chunks, completion) => {
    const folded = fold(bytesOf(chunks as Record<string, unknown>[])) as Completion
    expect(folded).toMatchObject(completion)
    expect(folded).not.toHaveProperty('p')
    expect(folded.choices[0]).not.toHaveProperty('text')
  })

  test.each<[string, object[]]>([
    ['a member `p` that is not text', [said('a', { p: 1 }), said('b', { p: 2 })]],
    ['a text that is not its delta', [said('a', {}, {}, { text: 'x' }), said('b', {}, {}, { text: 'y' })]],
    ['seeds that differ', [said('a', {}, {}, { seed: 1 }), said('b', {}, {}, { seed: 2 })]],
    ['tokens that differ', [said('a', {}, {}, { token_ids: [1] }), said('b', {}, {}, { token_ids: [2] })]],
  ])('does not fold with %s', (_, chunks) => {
    const whole = [...chunks, { ...first, choices: [end] }] as Record<string, unknown>[]
    expect(() => fold(bytesOf(whole))).toThrow(TypeError)
  })
})
