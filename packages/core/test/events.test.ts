import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('./rude.mjs', import.meta.url))

interface Suffered {
  readonly deed: string
  readonly values: string[]
  readonly calls: number
  readonly statuses: number[]
  readonly unheard: string[]
}

/** The report of a process whose logger, listeners or policy do these things. It must end by itself, with 0. */
function sufferedBy(place: string, ...deeds: string[]): Suffered[] {
  const output = execFileSync(process.execPath, [script, place, ...deeds], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  return JSON.parse(output)
}

const DEEDS = ['throw', 'reject', 'reject later', 'thenable', 'hostile thenable', 'getter', 'undefined']

test.each(['warn', 'info', 'debug', 'listener', 'policy'])(
  'code of the application as %s, whatever it does, reaches nobody, now or later, and ends no process',
  { timeout: 60_000 },
  (place) => {
    expect(sufferedBy(place, ...DEEDS)).toEqual(
      DEEDS.map((deed) => {
        // A policy that fails decides nothing about sharing, so the call is refused with a typed error.
        const status = place === 'policy' && deed !== 'undefined' ? 400 : 200
        // 1n cannot be stored: each of its calls warns, and runs.
        return { deed, values: ['1', '1', 'a', 'a'], calls: 3, statuses: [status, status], unheard: [] }
      }),
    )
  },
)

test('what a subscriber of a diagnostics channel throws is raised by Node, and no call sees it', () => {
  const [{ values, calls, statuses, unheard }] = sufferedBy('channel', 'throw') as [Suffered]
  expect(values).toEqual(['1', '1', 'a', 'a'])
  expect(calls).toBe(3)
  expect(statuses).toEqual([200, 200])
  expect(new Set(unheard)).toEqual(new Set(['uncaught: rude']))
})
