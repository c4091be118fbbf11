// The broken stores and the Lua mutants prove that the conformance kit finds mistakes. That can only change when the
// kit, the store contract, the Lua or they themselves change. So they run whole when one of those is not what
// test/exhaustive.digest says, and a fixed sample of them otherwise. `pnpm test:exhaustive` runs the whole, and renews
// the digest when it passes.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const recorded = new URL('test/exhaustive.digest', root)
const WHAT_MATTERS = [
  'packages/conformance/src/',
  'packages/conformance/test/broken/',
  'packages/core/src/store/store.ts',
  'packages/redis-protocol/src/lua/',
  'packages/redis-protocol/src/redis-store.ts',
  'packages/ioredis/test/mutations.test.ts',
]
const SUITES = ['packages/conformance', 'packages/ioredis/test/mutations.test.ts']
const EVERY = 4

function filesIn(path) {
  if (!path.endsWith('/')) return [path]
  const entries = readdirSync(new URL(path, root), { withFileTypes: true })
  return entries.flatMap((entry) => filesIn(path + entry.name + (entry.isDirectory() ? '/' : ''))).sort()
}

function digest() {
  const hash = createHash('sha256')
  for (const file of WHAT_MATTERS.flatMap(filesIn)) {
    hash
      .update(`${file}\n`)
      .update(readFileSync(new URL(file, root)))
      .update('\n')
  }
  return hash.digest('hex')
}

function isExhaustive() {
  if (process.env.IDEM_TEST_EXHAUSTIVE) return true
  try {
    return readFileSync(recorded, 'utf8').trim() !== digest()
  } catch {
    return true
  }
}

/**
 * All of them where the whole is to run, else the sample.
 * @template T
 * @param {readonly T[]} all
 * @param {(one: T) => string} groupOf
 * @returns {readonly T[]}
 */
export function sampled(all, groupOf) {
  return isExhaustive() ? all : sampleOf(all, groupOf)
}

/**
 * Every fourth, and the first of each group: the same on each machine.
 * @template T
 * @param {readonly T[]} all
 * @param {(one: T) => string} groupOf
 * @returns {readonly T[]}
 */
export function sampleOf(all, groupOf) {
  const groups = new Set()
  return all.filter((one, index) => {
    const isFirst = !groups.has(groupOf(one))
    groups.add(groupOf(one))
    return isFirst || index % EVERY === 0
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const env = { ...process.env, IDEM_TEST_EXHAUSTIVE: '1' }
  const cwd = fileURLToPath(root)
  const { status } = spawnSync('node_modules/.bin/vitest', ['run', ...SUITES], { cwd, env, stdio: 'inherit' })
  if (status === 0) writeFileSync(recorded, `${digest()}\n`)
  process.exitCode = status ?? 1
}
