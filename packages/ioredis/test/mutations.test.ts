import { readdirSync, readFileSync } from 'node:fs'
import { type Area, runConformance } from '@idem/conformance'
import { startRedis, type TestRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type IoredisClient, ioredisStore } from '../src/index.js'

const folder = new URL('../../redis-protocol/src/lua/', import.meta.url)

/** The areas of the kit that are about what each script does. */
const AREAS: Record<string, readonly Area[]> = {
  'append-1.lua': ['live'],
  'complete-1.lua': ['complete', 'fingerprint', 'replace', 'void', 'wake'],
  'forget-1.lua': ['void'],
  'release-1.lua': ['ownership', 'void', 'wake'],
  'renew-1.lua': ['ownership', 'takeover', 'void'],
  'replace-by-lock-1.lua': ['acquire', 'fingerprint', 'values', 'void'],
  'tail-1.lua': ['live'],
}

/** Mutants that no store can show, and why. */
const EQUIVALENT: Record<string, string> = {}

interface Mutant {
  readonly name: string
  readonly file: string
  readonly source: string
  readonly mutated: string
}

/** A term of a condition: what is on one side of a comparison. */
const TERM = String.raw`(?:(?:redis\.call|string\.match|tonumber)\([^()]*\)|\w+ \+ \w+|#?[\w.]+(?:\[\d\])?|'[^']*')`

/** Every way one thing is changed: what is looked for, and what takes its place. */
const CHANGES: readonly [what: RegExp, becomes: (...found: string[]) => readonly string[]][] = [
  // A comparison decides nothing any more: a guard or an arm of `and` or `or` is dropped, or always holds.
  [new RegExp(`${TERM} (?:==|~=|<=) ${TERM}`, 'g'), () => ['true', 'false']],
  [/(?<=^(?:els)?if )(?:\w+|string\.match\([^()]*\))(?= then)/gm, () => ['true', 'false']],
  [/(?<= or )string\.match\([^()]*\)(?= then)/g, () => ['true', 'false']],
  [/ <= /g, () => [' < ']],
  [/ (and|or) /g, (_, word) => [word === 'and' ? ' or ' : ' and ']],
  // What is compared is another argument.
  [/(?<=[=~]= )ARGV\[(\d)\]/g, (_, index) => [`ARGV[${Number(index) === 1 ? 2 : Number(index) - 1}]`]],
  // Kinds and the shape of a head.
  [/\[([LRV]+)\]/g, (_, letters) => [...letters!].map((letter) => `[${letters!.replace(letter, '')}]`)],
  [/'\^/g, () => ["'"]],
  [/\$'/g, () => ["'"]],
  [/_, fingerprint =/g, () => ['fingerprint =']],
  [/0, 'V'/g, () => ["0, 'L'"]],
  [/offset \+ size/g, () => ['offset', 'size']],
  // A line that does something is gone.
  [/^ *redis\.p?call.*\n/gm, () => ['']],
  [/^ *return .*\n(?= *end)/gm, () => ['']],
]

const mutants = readdirSync(folder)
  .filter((file) => file.endsWith('.lua'))
  .flatMap((file) => mutantsOf(file, readFileSync(new URL(file, folder), 'utf8')))

function mutantsOf(file: string, source: string): Mutant[] {
  const bodyAt = source.indexOf(']]\n') + 3
  const body = source.slice(bodyAt)
  const all = CHANGES.flatMap(([what, becomes]) =>
    [...body.matchAll(what)].flatMap((found) =>
      becomes(...found).map((instead) => {
        const mutated = body.slice(0, found.index) + instead + body.slice(found.index + found[0].length)
        const line = body.slice(0, found.index).split('\n').length
        const name = `${file}:${line}: ${shown(found[0])} -> ${shown(instead)}`
        return { name, file, source, mutated: source.slice(0, bodyAt) + mutated }
      }),
    ),
  )
  return [...new Map(all.map((mutant) => [mutant.mutated, mutant])).values()]
}

function shown(code: string): string {
  return code.trim() || 'nothing'
}

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

/** The client, with one script changed: the server is never asked for a script by its hash. */
function mutating(client: Redis, { source, mutated }: Mutant): IoredisClient {
  const callBuffer: IoredisClient['callBuffer'] = async (command, script, ...args) => {
    if (command === 'EVALSHA') throw new Error('NOSCRIPT No matching script.')
    const isMutant = command === 'EVAL' && script === source
    return client.callBuffer(command, isMutant ? mutated : script!, ...args)
  }
  return new Proxy(client, {
    get(target, name) {
      if (name === 'callBuffer') return callBuffer
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  }) as unknown as IoredisClient
}

/** The names of the tests that fail. */
async function failuresOf(mutant: Mutant): Promise<string[]> {
  const client = new Redis(redis.url)
  const open = () => {
    const store = ioredisStore(mutating(client, mutant), { prefix: redis.prefix })
    return { store, close: () => store.close() }
  }
  const areas = AREAS[mutant.file]!
  const verdicts = await runConformance(open, {
    only: ({ area, name }) => areas.includes(area) && name !== 'eight MiB come back',
    concurrency: 32,
  })
  client.disconnect()
  return verdicts.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name)
}

describe.concurrent('a script with one check changed is caught by the kit', () => {
  test.each(mutants.filter(({ name }) => !(name in EQUIVALENT)))(
    '$name',
    async (mutant) => {
      expect(await failuresOf(mutant)).not.toEqual([])
    },
    60_000,
  )
})

describe('so that this tells something', () => {
  test('every script is changed, and passes unchanged', { timeout: 60_000 }, async () => {
    expect([...new Set(mutants.map(({ file }) => file))]).toEqual(Object.keys(AREAS))
    const unchanged = Object.keys(AREAS).map((file) => ({ ...mutants.find((one) => one.file === file)! }))
    for (const one of unchanged) {
      expect(await failuresOf({ ...one, mutated: one.source }), one.file).toEqual([])
    }
  })

  test('what is said to change nothing is a mutant, and is not caught', { timeout: 60_000 }, async () => {
    for (const name of Object.keys(EQUIVALENT)) {
      const mutant = mutants.find((one) => one.name === name)
      expect(mutant, name).toBeDefined()
      expect(await failuresOf(mutant!), name).toEqual([])
    }
  })
})
