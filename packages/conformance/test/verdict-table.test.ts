import { expect, test } from 'vitest'
import { runConformance, type Verdict, verdictTable } from '../src/index.js'
import { PlainStore } from './broken/plain-store.js'

const verdicts: Verdict[] = [
  { area: 'acquire', name: 'the lock is given', outcome: 'passed' },
  {
    area: 'acquire',
    name: 'with `replacing`, a record | stays',
    outcome: 'failed',
    error: new Error('a\n+ b'),
  },
  { area: 'wake', name: 'a release wakes', outcome: 'skipped', reason: 'this store has no watch()' },
  { area: 'wake', name: 'a *completion* wakes', outcome: 'skipped', reason: 'this store has no watch()' },
  { area: 'close', name: 'the process ends', outcome: 'skipped', reason: 'no `fork` was given' },
  { area: 'close', name: 'close() ends', outcome: 'failed', error: 'just so' },
]

test('the table tells by area how many passed, and by reason which did not', () => {
  expect(verdictTable('my_store on <Redis> 7.4', verdicts)).toBe(
    [
      '### my\\_store on \\<Redis\\> 7.4: 2 of 6 tests failed',
      '',
      '| area | passed | failed | skipped |',
      '| --- | ---: | ---: | ---: |',
      '| `acquire` | 1 | 1 | · |',
      '| `wake` | · | · | 2 |',
      '| `close` | · | 1 | 1 |',
      '| **all** | 1 | 2 | 3 |',
      '',
      'Failed:',
      '',
      '- a + b',
      '  - `acquire` with `replacing`, a record \\| stays',
      '- just so',
      '  - `close` close() ends',
      '',
      'Skipped:',
      '',
      '- this store has no watch()',
      '  - `wake` a release wakes',
      '  - `wake` a \\*completion\\* wakes',
      '- no `fork` was given',
      '  - `close` the process ends',
      '',
    ].join('\n'),
  )
})

test('a store that passes is said to, with what was skipped', () => {
  const [passed, , skipped] = verdicts
  expect(verdictTable('mine', [passed!]).split('\n')[0]).toBe('### mine: passed')
  expect(verdictTable('mine', [passed!, skipped!]).split('\n')[0]).toBe(
    '### mine: passed, 1 of 2 tests skipped',
  )
})

test('what a run gives is what the table takes', async () => {
  const store = new PlainStore()
  const only = ({ area }: Verdict | { area: string }) => area === 'acquire'
  const table = verdictTable('plain', await runConformance(() => ({ store }), { only }))
  expect(table).toMatch(/^### plain: passed\n/)
  expect(table).toMatch(/\| \*\*all\*\* \| \d+ \| · \| · \|\n$/)
})
