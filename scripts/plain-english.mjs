// Plain English, kept so: patterns that a reader takes in only at the second reading. `pnpm lint` runs this.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Each with an example of what it catches, and of what to write instead. Only what is nearly always bad is here. */
export const PATTERNS = [
  {
    pattern: /(?:^|[.:;] |\*\* |\/\/ |\* |`, )Who(?:ever)? (?!is\b.*\?|does\b.*\?|[^.]*\?)[a-z]+s?\b/,
    reason: '"Who …" is no subject',
    bad: 'Who leaves early pays nothing.',
    good: 'A caller that leaves early pays nothing.',
  },
  {
    pattern: /\b(?:that|which|what|it) is none\b|\bis none of\b|\bas none\b/,
    reason: '"is none" makes the reader look back for what it is none of',
    bad: 'A value that is none is refused.',
    good: 'What is not a price is refused.',
  },
  {
    pattern: /\b(?:is|are) (?:not )?to (?:have|be had)\b/,
    reason: '"is to have" is archaic',
    bad: 'A late caller is to have that answer.',
    good: 'A late caller gets that answer.',
  },
  {
    pattern: /\bwhat there is of\b/i,
    reason: '"what there is of it" hides the thing',
    bad: 'Follow what there is of it.',
    good: 'Follow the part of the stream that is there.',
  },
  {
    pattern: /\bnobody[’']s\b/i,
    reason: '"nobody’s" is a riddle',
    bad: 'A rejection is nobody’s.',
    good: 'No caller is left to hear the rejection.',
  },
  {
    pattern: /\bfor nobody\b/,
    reason: '"for nobody" is a riddle',
    bad: 'No call is begun for nobody.',
    good: 'Never start a call without a waiting caller.',
  },
  {
    pattern: /\bnone of (?:its|their|theirs|his)\b/,
    reason: '"none of its" makes the reader count',
    bad: 'It changes none of its members.',
    good: 'It changes no member of it.',
  },
  {
    pattern: /\b(?:that|what|which|it) is no (?!longer\b|more\b)[a-z]+/,
    reason: '"that is no price" is archaic',
    bad: 'Work that is no function is refused.',
    good: 'Work that is not a function is refused.',
  },
  {
    pattern: /\b(?:lest|whilst|thereof|wherein|whereby|henceforth|hitherto|thereupon|betwixt)\b/i,
    reason: 'archaic',
    bad: 'Keep it, lest it lapse.',
    good: 'Keep it, or it lapses.',
  },
  {
    pattern: /\b(?:is|are|was|were) let be\b/,
    reason: '"let be" is archaic',
    bad: 'Unknown members are let be.',
    good: 'Unknown members are left alone.',
  },
]

/** Prose of a Markdown file, without its code; comments and strings of a source file. */
export function proseOf(path, text) {
  const lines = text.split('\n')
  if (!path.endsWith('.md')) {
    return lines.map((line) =>
      /^\s*(?:\/\/|\/?\*)/.test(line) || /['"`]/.test(line) || /\/\/ /.test(line) ? line : '',
    )
  }
  let isCode = false
  return lines.map((line) => {
    if (line.startsWith('```')) isCode = !isCode
    return isCode ? '' : line.replaceAll(/`[^`]*`/g, '``')
  })
}

/** @returns a line for each fault */
export function faultsIn(path, text) {
  return proseOf(path, text).flatMap((line, index) =>
    PATTERNS.filter(({ pattern }) => pattern.test(line)).map(
      ({ reason, good, pattern }) =>
        `${path}:${index + 1}: ${reason}: "${pattern.exec(line)?.[0].trim()}". Write it as in: ${good}`,
    ),
  )
}

const isProse = (path) =>
  /\.(?:md|m?ts|tsx|mjs|js|lua)$/.test(path) &&
  !/CHANGELOG|\.gen\.|plain-english|^docs\/article\.md$/.test(path)

/** Folders that hold what others wrote, or what a build makes. */
const FOREIGN = ['node_modules', 'dist', '.git', '.turbo', 'screenshots']

function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return FOREIGN.includes(entry.name) ? [] : filesIn(path)
    return [path]
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const faults = filesIn('.')
    .filter(isProse)
    .flatMap((path) => faultsIn(path, readFileSync(path, 'utf8')))
  for (const fault of faults) process.stderr.write(`${fault}\n`)
  if (faults.length > 0) process.stderr.write(`${faults.length} sentences to write plainly.\n`)
  process.exitCode = faults.length === 0 ? 0 : 1
}
