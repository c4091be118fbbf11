import { readdirSync, readFileSync } from 'node:fs'
import { type Area, runConformance } from '@idem/conformance'
import { startRedis, type TestRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { sampled } from '../../../scripts/exhaustive.mjs'
import { type IoredisClient, ioredisStore } from '../src/index.js'

const folder = new URL('../../redis-protocol/src/lua/', import.meta.url)

/** The areas of the kit that are about what each script does. */
const AREAS: Record<string, readonly Area[]> = {
  'append-1.lua': ['live'],
  'complete-1.lua': ['complete', 'fingerprint', 'replace', 'void', 'wake'],
  'forget-1.lua': ['void', 'values'],
  'release-1.lua': ['ownership', 'void', 'values', 'wake'],
  'renew-1.lua': ['ownership', 'takeover', 'void', 'values', 'wake'],
  'replace-by-lock-1.lua': ['acquire', 'fingerprint', 'values', 'void'],
  'report-1.lua': ['reports'],
  'tail-1.lua': ['live'],
}

/** Mutants that no store can show, and why. */
const EQUIVALENT: Record<string, string> = {
  'append-1.lua:5: <= -> <': 'where the bytes end with the log, its length is the same answer',
  'append-1.lua:5: offset + size -> offset': 'bytes that go past the end are not those found there either',
  'append-1.lua:11: size <= tonumber(ARGV[6]) -> true': 'a hint may carry many bytes; Redis alone minds',
  'append-1.lua:11: <= -> <': 'how many bytes are few is for the store to say',
  'complete-1.lua:2: [LRV] -> [LR]': 'a void lock then has no fingerprint, and is refused for that',
  "complete-1.lua:2: '^ -> '": 'what this store wrote begins with its kind, and is found there first',
  "forget-1.lua:5: $' -> '": 'what begins with L or V is a lock, whatever comes behind its names',
  "release-1.lua:1: $' -> '": 'what begins with L or V is a lock, whatever comes behind its names',
  "renew-1.lua:7: $' -> '": 'what begins with L or V is a lock, whatever comes behind its names',
  "renew-1.lua:14: redis.call('PEXPIRE', KEYS[1], ARGV[3], 'NX') == 1 -> true":
    'lost all the same; it is told more often',
  "renew-1.lua:14: redis.call('PEXPIRE', KEYS[1], ARGV[3], 'NX') == 1 -> false":
    'lost all the same; it is not told',
  'renew-1.lua:14: and -> or': 'lost all the same; it is not told',
  "renew-1.lua:14: nothing -> , 'NX'": 'said twice is said once',
  "replace-by-lock-1.lua:3: '^ -> '": 'what this store wrote begins with its kind, and is found there first',
}

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
  // What was written first stays, or how long that lives.
  [/'HSET'/g, () => ["'HSETNX'"]],
  [/(?<='PEXPIRE', KEYS\[1\], ARGV\[\d\])/g, () => [", 'NX'"]],
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

// Mostly they wait for what the mutant does not let lapse.
vi.setConfig({ maxConcurrency: 8 })

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
  // One client for every handle: what is changed is a script, not how it is sent.
  const client = new Redis(redis.url).setMaxListeners(0)
  const open = () => {
    const store = ioredisStore(mutating(client, mutant), { prefix: redis.prefix })
    return { store, close: () => store.close() }
  }
  const areas = AREAS[mutant.file]!
  const verdicts = await runConformance(open, {
    only: ({ area, name }) => areas.includes(area) && name !== 'eight MiB come back',
    concurrency: 16,
  })
  client.disconnect()
  return verdicts.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name)
}

const fileOf = ({ file }: Mutant) => file

describe.concurrent('a script with one check changed is caught by the kit', () => {
  const telling = mutants.filter(({ name }) => !(name in EQUIVALENT))
  for (const mutant of sampled(telling, fileOf)) {
    test(mutant.name, { timeout: 60_000 }, async ({ expect }) => {
      // A process that stood still may have looked too late to see what changed: it looks again.
      let failures: string[] = []
      for (let look = 0; look < 3 && failures.length === 0; look++) failures = await failuresOf(mutant)
      expect(failures).not.toEqual([])
    })
  }
})

describe.concurrent('a script that behaves as before passes', () => {
  test.for(Object.keys(AREAS))('%s unchanged', { timeout: 60_000 }, async (file, { expect }) => {
    const mutant = mutants.find((one) => one.file === file)!
    expect(await failuresOf({ ...mutant, mutated: mutant.source })).toEqual([])
  })

  const equivalent = mutants.filter(({ name }) => name in EQUIVALENT)
  for (const mutant of sampled(equivalent, fileOf)) {
    test(`${mutant.name}: ${EQUIVALENT[mutant.name]}`, { timeout: 60_000 }, async ({ expect }) => {
      expect(await failuresOf(mutant)).toEqual([])
    })
  }
})

test('every script is changed, and every change that is said to do nothing is made', () => {
  expect([...new Set(mutants.map(fileOf))]).toEqual(Object.keys(AREAS))
  const names = new Set(mutants.map(({ name }) => name))
  expect(Object.keys(EQUIVALENT).filter((name) => !names.has(name))).toEqual([])
})
