import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { major, minVersion, satisfies } from 'semver'
import { describe, expect, test } from 'vitest'
import { manifestOf, peers } from './peers.mjs'
import { floor, hasAllRuntimes, nodeFor } from './runtimes.js'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly engines?: { readonly node?: string }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const root = fileURLToPath(new URL('../', import.meta.url))
const read = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

const published = readdirSync(join(root, 'packages'))
  .map((folder) => ({
    folder: join(root, 'packages', folder),
    manifest: read(join(root, 'packages', folder)),
  }))
  .filter(({ manifest }) => !manifest.private)

/** The folder of a package's dependency: beside it or above it, where Node looks for it. */
function folderOf(name: string, from: string): string {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name)
    if (existsSync(folder)) return realpathSync(folder)
    if (at === dirname(at)) throw new Error(`${name} is not installed for ${from}`)
  }
}

/** Every package that this one brings along at run time, itself included. */
function runtimeOf(folder: string, seen = new Map<string, Manifest>()): ReadonlyMap<string, Manifest> {
  if (seen.has(folder)) return seen
  const manifest = read(folder)
  seen.set(folder, manifest)
  for (const name of Object.keys(manifest.dependencies ?? {})) runtimeOf(folderOf(name, folder), seen)
  return seen
}

/** Those of these packages that do not accept the lowest Node. */
const tooNew = (manifests: Iterable<Manifest>) =>
  [...manifests]
    .filter(({ engines }) => !satisfies(floor, engines?.node ?? '*'))
    .map(({ name, version, engines }) => `${name} ${version} needs Node ${engines!.node}`)

describe('Node 20.19 is enough for what is published', () => {
  test.each(published)('$manifest.name says so, and all it brings runs there', ({ folder, manifest }) => {
    expect(manifest.engines?.node).toBe(`>=${floor.replace(/\.0$/, '')}`)
    expect(tooNew(runtimeOf(folder).values())).toEqual([])
  })

  test('the walk finds what dependencies bring, and a package that needs a newer Node', () => {
    const anthropic = published.find(({ manifest }) => manifest.name === '@idem/anthropic')!
    const names = [...runtimeOf(anthropic.folder).values()].map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['@idem/core', 'eventsource-parser', 'partial-json']))
    expect(tooNew([manifestOf('openai-7')])).toEqual(['openai 7.57.0 needs Node >=22.0.0'])
  })

  test.each(published)(
    '$manifest.name is required and imported there, as the same',
    async ({ folder, manifest }) => {
      const runtime = nodeFor()!
      if (hasAllRuntimes) expect(runtime.version).toBe(floor)
      const script = `
      const required = require(${JSON.stringify(manifest.name)})
      import(${JSON.stringify(manifest.name)}).then((imported) =>
        console.log(JSON.stringify([required, imported].map((one) => Object.keys(one).sort()))))`
      const { stdout, stderr } = await promisify(execFile)(
        runtime.path,
        ['--input-type=commonjs', '-e', script],
        // A package finds itself by its name.
        { cwd: folder },
      )
      const [required, imported] = JSON.parse(stdout)
      expect(required).toEqual(
        imported.filter((name: string) => name !== 'default' && name !== 'module.exports'),
      )
      expect(required.length).toBeGreaterThan(0)
      expect(stderr).toBe('')
    },
  )
})

/** The versions of a package that test/peers.mjs runs. */
const testedVersions = (name: string) => {
  const manifests: Manifest[] = peers.flatMap((peer) => peer.packages.map(manifestOf))
  return [...new Set(manifests.filter((one) => one.name === name).map(({ version }) => version))]
}

describe.each([
  ['@idem/anthropic', '@anthropic-ai/sdk'],
  ['@idem/openai', 'openai'],
])('the range of %s for %s', (name, peer) => {
  const range = published.find(({ manifest }) => manifest.name === name)!.manifest.peerDependencies![peer]!
  const tested = testedVersions(peer)

  test('begins with a version that is tested', () => {
    expect(tested).toContain(minVersion(range)!.version)
    expect(tested.filter((version) => !satisfies(version, range))).toEqual([])
  })

  test('has a tested version of every major, and ends with the newest of them', () => {
    const majors = [...new Set(tested.map((version) => major(version)))].sort((a, b) => a - b)
    const first = major(minVersion(range)!)
    expect(majors).toEqual(Array.from({ length: majors.length }, (_, index) => first + index))
    expect(satisfies(`${majors.at(-1)! + 1}.0.0`, range)).toBe(false)
  })
})

test('every version that is installed for it is run, or type-checked', () => {
  const { devDependencies = {} } = JSON.parse(readFileSync(join(root, 'test/package.json'), 'utf8'))
  const aliases = Object.keys(devDependencies).filter((name) => devDependencies[name].startsWith('npm:'))
  const run = new Set(peers.flatMap((peer) => peer.packages))
  const typed = readFileSync(join(root, 'test/types/stores.ts'), 'utf8')
  const isUsed = (name: string) => run.has(name) || typed.includes(`'${name}'`)
  expect(aliases.filter((name) => !isUsed(name))).toEqual([])
  expect(aliases.length).toBeGreaterThan(10)
})

test('the README names the versions of the AI SDK that are tested', () => {
  const majors = testedVersions('ai').map((version) => major(version))
  expect(majors.sort()).toEqual([5, 6, 7])
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain('the Vercel AI SDK 5, 6 and 7')
})
