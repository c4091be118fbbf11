import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import { beforeAll, describe, expect, test } from 'vitest'

const root = new URL('../', import.meta.url)
const packages = readdirSync(new URL('packages', root))
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const sources = (name: string) =>
  readdirSync(new URL(`packages/${name}/src`, root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file, text: read(`packages/${name}/src/${file}`) }))

/** Which packages of ours each package may import: the arrows of docs/design.md. */
const arrows: Record<string, string[]> = {
  core: [],
  'redis-protocol': ['core'],
  conformance: ['core'],
  anthropic: ['core'],
  openai: ['core'],
  testing: [],
}
const adapterArrows = ['core', 'redis-protocol']
const adapters = packages.filter((name) => !(name in arrows))

/** The folder of a file of core; a file at the top is a room of its own. */
function roomOf(path: string): string {
  return path.slice('packages/core/src/'.length).split('/')[0]!
}

/** Whether there is a path along the arrows. */
function reaches(
  arrows: Map<string, Set<string>>,
  from: string,
  to: string,
  seen = new Set<string>(),
): boolean {
  return [...(arrows.get(from) ?? [])].some((next) => {
    if (next === to) return true
    if (seen.has(next)) return false
    seen.add(next)
    return reaches(arrows, next, to, seen)
  })
}

describe('the arrows of the design', () => {
  let result: ICruiseResult
  beforeAll(async () => {
    const { output } = await cruise(
      packages.map((name) => `packages/${name}/src`),
      {
        baseDir: fileURLToPath(root),
        tsPreCompilationDeps: true,
        doNotFollow: { path: 'node_modules|dist' },
        validate: true,
        ruleSet: { forbidden: [{ name: 'cycle', severity: 'error', from: {}, to: { circular: true } }] },
      },
    )
    result = output as ICruiseResult
  }, 60_000)

  test('there is no cycle, of types either', () => {
    expect(result.modules.length).toBeGreaterThan(60)
    expect(result.summary.violations.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
  })

  test('the rooms of core have no cycle: each folder, and each file at the top, imports what is below it', () => {
    const below = new Map<string, Set<string>>()
    for (const { source, dependencies } of result.modules) {
      if (!source.startsWith('packages/core/src/')) continue
      const from = roomOf(source)
      const rooms = below.get(from) ?? new Set()
      below.set(from, rooms)
      for (const { resolved } of dependencies) {
        if (resolved.startsWith('packages/core/src/') && roomOf(resolved) !== from)
          rooms.add(roomOf(resolved))
      }
    }
    expect(below.size).toBeGreaterThan(12)
    expect([...below.keys()].filter((room) => reaches(below, room, room))).toEqual([])
  })

  test('core stays small to the eye: no long file, no crowded room', () => {
    const files = sources('core')
    const long = files.filter(({ text }) => text.split('\n').length - 1 > 220).map(({ file }) => file)
    expect(long).toEqual([])
    const rooms = new Map<string, number>()
    for (const { file } of files) {
      const room = file.includes('/') ? file.split('/')[0]! : ''
      rooms.set(room, (rooms.get(room) ?? 0) + 1)
    }
    const crowded = [...rooms].filter(([room, count]) => count > (room === '' ? 6 : 12))
    expect(crowded.map(([room]) => room)).toEqual([])
    expect(read('packages/core/src/run.ts').split('\n').length - 1).toBeLessThanOrEqual(120)
  })

  test.each(packages)('%s imports only what is below it', (name) => {
    const imported = sources(name).flatMap(({ text }) =>
      [...text.matchAll(/from '@idem\/([\w-]+)'/g)].map(([, other]) => other!),
    )
    const allowed = arrows[name] ?? adapterArrows
    expect([...new Set(imported)].filter((other) => !allowed.includes(other))).toEqual([])
    const { dependencies = {} } = JSON.parse(read(`packages/${name}/package.json`))
    const declared = Object.keys(dependencies).filter((one) => one.startsWith('@idem/'))
    expect(declared.map((one) => one.slice('@idem/'.length)).sort()).toEqual([...new Set(imported)].sort())
  })

  test('core knows no client, no provider and no network', () => {
    const foreign = /from '(?:ioredis|redis|@anthropic-ai|openai|node:(?:net|http|https|tls|dns))/
    for (const { file, text } of sources('core')) expect(text, file).not.toMatch(foreign)
  })
})

describe.each(adapters)('the adapter %s', (name) => {
  const camel = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

  test('exports its store by the naming rule', () => {
    expect(read(`packages/${name}/src/index.ts`)).toMatch(new RegExp(`export \\{[^}]*\\b${camel}Store\\b`))
  })

  test('runs the conformance kit', () => {
    expect(read(`packages/${name}/test/conformance.test.ts`)).toContain('storeConformance({')
  })

  test('has no Lua, no key names and no decoding', () => {
    for (const { file, text } of sources(name)) {
      expect(text, file).not.toMatch(/redis\.p?call|EVALSHA|'idem:|`idem:|:note:|:live:|JSON\.parse|sha1/)
    }
  })

  test('imports its client nowhere at run time', () => {
    for (const { file, text } of sources(name)) {
      expect(text, file).not.toMatch(
        /import (?!type)[^;\n]*from '(?:ioredis|redis|@redis\/\w+|@valkey\/[\w-]+)'/,
      )
    }
  })
})
