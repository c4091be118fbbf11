import { expect, test } from 'vitest'
import { Journal } from '../src/lab/journal.js'
import { KEPT } from '../src/shared/rows.js'

const QUESTION = {
  prompt: 'hello',
  model: 'claude-haiku-4-5',
  stream: false,
  ttl: 'chat',
  bypass: false,
} as const

test('when there are more requests than are kept, the oldest that is over is forgotten, with its call', () => {
  const journal = new Journal()
  void journal.open({ ...QUESTION, id: 1 }, 1)
  for (let id = 2; id <= KEPT + 3; id++) {
    void journal.open({ ...QUESTION, id }, 1)
    // Every other request makes a call.
    if (id % 2 === 0) journal.heardCall({ id: `call ${id}`, request: id, startedAt: 0 }, 1)
    journal.heard({ id, endedAt: 0 })
  }
  const kept = journal.requests.map(({ id }) => id)
  expect(kept).toHaveLength(KEPT)
  // The first one still waits for its answer.
  expect(kept.slice(0, 2)).toEqual([1, 5])
  expect(journal.calls[0]?.request).toBe(6)
})
