import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { conformanceTests, type Need } from '../src/index.js'

/** What a memory store with openAlone lacks, and what one without watch(), append() and report() does. */
const LACKING: readonly Need[] = ['handles', 'fork', 'disrupt', 'no watch', 'no append', 'no report']
const POLLED: readonly Need[] = ['handles', 'fork', 'disrupt', 'watch', 'append', 'report']

test('the built kit runs under node:test, skips included', { timeout: 60_000 }, async () => {
  const script = fileURLToPath(new URL('node-test.mjs', import.meta.url))
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, ['--test', '--test-reporter=tap', script], { env }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    )
  })
  const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(output)?.[1])
  const skipped = [LACKING, POLLED]
    .map(
      (lacking) =>
        conformanceTests.filter(({ needs }) => needs.some((need) => lacking.includes(need))).length,
    )
    .reduce((sum, each) => sum + each)
  expect(count('fail'), output).toBe(0)
  expect(count('skipped')).toBe(skipped)
  // Both halves run the whole kit.
  expect(count('pass')).toBe(2 * conformanceTests.length - skipped)
  expect(output).toContain('# SKIP this store has no watch()')
})
