import { describe, expect, test } from 'vitest'
import { faultsIn, PATTERNS } from '../scripts/plain-english.mjs'

describe('a sentence that is understood at the second reading alone', () => {
  test.each(PATTERNS)('is found, and the better one passed: $bad', ({ bad, good, reason }) => {
    const found = faultsIn('page.md', `Some words.\n${bad}\n`)
    expect(found).toEqual([expect.stringContaining(`page.md:2: ${reason}`)])
    expect(faultsIn('page.md', good)).toEqual([])
  })

  test('is found in comments, messages and names of tests', () => {
    const source = "/** Who leaves pays. */\n  // Who leaves pays.\nwarn('Late. Who leaves pays.')\n"
    expect(faultsIn('file.ts', source)).toHaveLength(3)
  })

  test('is not looked for in code, and a question may begin with “Who”', () => {
    expect(faultsIn('page.md', '```ts\nWho leaves pays\n```\nSee `is none of`.\nWho pays for it?\n')).toEqual(
      [],
    )
    expect(faultsIn('file.ts', 'const nobodys = isToHave\n')).toEqual([])
  })
})
