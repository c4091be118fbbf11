import type { Verdict } from './run.js'

const OUTCOMES = ['passed', 'failed', 'skipped'] as const

/**
 * The verdicts as Markdown, to paste into a pull request: how many tests of each area passed, failed and were
 * skipped, then the names of those that did not pass and why.
 *
 * @param name what was tested, e.g. `ioredisStore on Redis 7.4`
 */
export function verdictTable(name: string, verdicts: readonly Verdict[]): string {
  const areas = groupBy(verdicts, ({ area }) => area)
  const failed = verdicts.filter((verdict) => verdict.outcome === 'failed')
  const skipped = verdicts.filter((verdict) => verdict.outcome === 'skipped')
  return [
    `### ${inline(name)}: ${summary(verdicts)}`,
    '',
    '| area | passed | failed | skipped |',
    '| --- | ---: | ---: | ---: |',
    ...[...areas].map(([area, of]) => row(`\`${area}\``, of)),
    row('**all**', verdicts),
    ...list('Failed', failed, ({ error }) => reasonOf(error)),
    ...list('Skipped', skipped, ({ reason }) => reason),
    '',
  ].join('\n')
}

function summary(verdicts: readonly Verdict[]): string {
  const failed = count(verdicts, 'failed')
  if (failed > 0) return `${failed} of ${verdicts.length} tests failed`
  const skipped = count(verdicts, 'skipped')
  return `passed${skipped > 0 ? `, ${skipped} of ${verdicts.length} tests skipped` : ''}`
}

function count(verdicts: readonly Verdict[], outcome: Verdict['outcome']): number {
  return verdicts.filter((verdict) => verdict.outcome === outcome).length
}

function row(title: string, verdicts: readonly Verdict[]): string {
  return `| ${[title, ...OUTCOMES.map((outcome) => count(verdicts, outcome) || '·')].join(' | ')} |`
}

/** The tests with the same reason, listed under it. */
function list<T extends Verdict>(title: string, verdicts: readonly T[], reason: (of: T) => string): string[] {
  if (verdicts.length === 0) return []
  const reasons = groupBy(verdicts, reason)
  const lines = [...reasons].flatMap(([why, of]) => [
    `- ${inline(why)}`,
    ...of.map(({ area, name }) => `  - \`${area}\` ${inline(name)}`),
  ])
  return ['', `${title}:`, '', ...lines]
}

/** Why a test failed, in one line. */
function reasonOf(error: unknown): string {
  const { message } = Object(error) as { message?: unknown }
  const line = String(message ?? error)
    .replace(/\s+/g, ' ')
    .trim()
  return line.length > 160 ? `${line.slice(0, 160)} …` : line || 'no reason given'
}

/** As one line of text, without anything Markdown would turn into markup; code in backticks stays code. */
function inline(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 ? part : part.replace(/[\\<>*_|[\]~#`]/g, '\\$&')))
    .join('')
    .replace(/\s+/g, ' ')
}

function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one])
  return groups
}
