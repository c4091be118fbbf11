// Markdown of what was measured.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Three digits that mean something. */
function shown(value) {
  if (value === undefined) return ''
  if (value === 0 || value >= 100) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3)
}

function markdown(columns, rows) {
  const lines = [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return `${lines.join('\n')}\n`
}

export function table(name, what, rows) {
  const columns = [...new Set(rows.flatMap(({ numbers }) => Object.keys(numbers)))]
  const body = rows.map(({ name, numbers }) => [name, ...columns.map((column) => shown(numbers[column]))])
  return `## ${name}\n\n${what}\n\n${markdown(['', ...columns], body)}`
}

export function countsTable(counted) {
  const rows = counted.map(({ name, what, value, bound }) => [name, what, shown(value), shown(bound)])
  return `## Counts\n\n\`pnpm bench --quick\` fails where one is over its bound.\n\n${markdown(['', 'what', 'counted', 'at most'], rows)}`
}

function dependenciesIn(file) {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')).dependencies
}

export function head(rounds) {
  const server = execFileSync('redis-server', ['--version'], { encoding: 'utf8' })
  const version = /v=([\d.]+)/.exec(server)?.[1]
  const own = dependenciesIn('package.json')
  const peers = dependenciesIn('peers/package.json')
  const versions = { ...peers, ioredis: `${own.ioredis} (${peers.ioredis} of the peers)`, redis: own.redis }
  const machine = `${cpus().length} x ${cpus()[0].model.trim()}, Node ${process.version}, Redis ${version}`
  return `# Results

Written by \`pnpm bench\` on ${new Date().toISOString().slice(0, 10)}: ${machine}, on the same machine over 127.0.0.1.
Every contender has a process of its own. They take turns, ${rounds} each, and the median turn counts. A row of the
same contender again shows the noise: differences that are smaller mean nothing.

Versions: ${Object.entries(versions)
    .map(([name, one]) => `${name} ${one}`)
    .join(', ')}.
`
}
