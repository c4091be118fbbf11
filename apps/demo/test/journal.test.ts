import { expect, test } from 'vitest'
import { Journal } from '../src/journal.js'
import { KEPT } from '../src/rows.js'

const QUESTION = {
  prompt: 'hello',
  model: 'claude-haiku-4-5',
  stream: false,
  ttl: 'chat',
  bypass: false,
} as const

test('of more requests than are kept the oldest that is over is forgotten, whoever paid for it, with its call', () => {
  const journal = new Journal()
  journal.open({ ...QUESTION, id: 1 }, 1)
  for (let id = 2; id <= KEPT + 3; id++) {
    journal.open({ ...QUESTION, id }, 1)
    // Every other one pays.
    if (id % 2 === 0) journal.heardCall({ id: `call ${id}`, request: id, startedAt: 0 }, 1)
    journal.heard({ id, endedAt: 0 })
  }
  const kept = journal.requests.map(({ id }) => id)
  expect(kept).toHaveLength(KEPT)
  // The first one still waits for its answer.
  expect(kept.slice(0, 2)).toEqual([1, 5])
  expect(journal.calls[0]?.request).toBe(6)
})
