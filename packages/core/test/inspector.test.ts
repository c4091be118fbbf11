import { describe, expect, test } from 'vitest'
import { type EventWatch, inspector } from '../src/dialect.js'

const watch = (more: Partial<EventWatch> = {}): EventWatch => ({
  endOf: ({ data }) => (data === 'last' ? 'whole' : data === 'oh' ? 'failed' : undefined),
  ...more,
})

function stateAfter(text: string, watching: EventWatch | EventWatch['endOf'] = watch()): string[] {
  const inspected = inspector(watching)
  inspected.push(Buffer.from(text))
  const before = inspected.state
  inspected.end!()
  return [before, inspected.state]
}

describe('the end of a body', () => {
  test.each([
    ['after the last event', 'data: last\n\n', ['whole', 'whole']],
    ['in the blank line of the last event', 'data: last\n', ['running', 'whole']],
    ['before the blank line of the last event', 'data: last', ['running', 'whole']],
    ['after a CR', 'data: last\r', ['running', 'whole']],
    ['before the blank line of an error', 'data: oh', ['running', 'failed']],
    ['in the last event', 'data: las', ['running', 'running']],
    ['after another event', 'data: some\n\n', ['running', 'running']],
    ['in a comment', ': data: last', ['running', 'running']],
    ['of nothing', '', ['running', 'running']],
  ])('%s', (_, text, states) => {
    expect(stateAfter(text)).toEqual(states)
    expect(stateAfter(text, watch().endOf)).toEqual(states)
  })

  test('finishes a stream only where its watch says that it is complete, and has not ended yet', () => {
    for (const isComplete of [true, false]) {
      const watching = watch({ isComplete: () => isComplete })
      expect(stateAfter('data: some\n\n', watching)).toEqual(['running', isComplete ? 'finished' : 'running'])
      expect(stateAfter('data: last\n\n', watching)).toEqual(['whole', 'whole'])
      expect(stateAfter('data: oh\n\n', watching)).toEqual(['failed', 'failed'])
    }
  })

  test('tells the watch which event was cut', () => {
    const seen: [string, boolean][] = []
    stateAfter('data: one\n\ndata: two', (event, isCut) => {
      seen.push([event.data, isCut])
      return undefined
    })
    expect(seen).toEqual([
      ['one', false],
      ['two', true],
    ])
  })
})
