import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startProvider, startRedis } from '@idem/testing'
import { describe, expect, test } from 'vitest'

const root = new URL('../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

describe('the README', () => {
  const quickstart = read('test/quickstart.mjs')

  test('shows the example that is run here, word for word', () => {
    const [, shown] = /```js\n([\s\S]*?)```/.exec(read('README.md')) ?? []
    expect(shown).toBe(quickstart)
  })

  test('example costs one upstream call for three identical ones', async () => {
    const [provider, redis] = [await startProvider(), await startRedis()]
    const env = {
      ...process.env,
      REDIS_URL: redis.url,
      ANTHROPIC_BASE_URL: provider.url,
      ANTHROPIC_API_KEY: `key-${redis.prefix}`, // A scope of this run's own, on whatever Redis is used.
    }
    const run = promisify(execFile)
    const { stdout } = await run(process.execPath, [fileURLToPath(new URL('test/quickstart.mjs', root))], {
      env,
    })
    expect(provider.calls).toBe(1)
    expect(stdout).toMatch(/executed: 1,\s+replayed: 1,\s+collapsed: 1,/)
    await Promise.all([provider.stop(), redis.stop()])
  })

  test('names every published package', () => {
    const readme = read('README.md')
    for (const { name } of packages().filter((one) => !one.private)) expect(readme).toContain(`\`${name}\``)
  })
})

describe('the docs', () => {
  test('explain every error code, and no other', () => {
    const folder = 'packages/core/src/errors/'
    const codes = readdirSync(new URL(folder, root))
      .flatMap((file) => [...read(folder + file).matchAll(/code = '(IDEM_\w+)'/g)])
      .map(([, code]) => code!)
    const explained = [...read('docs/errors.md').matchAll(/^## (IDEM_\w+)$/gm)].map(([, code]) => code!)
    expect(explained.sort()).toEqual(codes.sort())
  })

  test('link to files that exist', () => {
    for (const page of [
      'README.md',
      'CONTRIBUTING.md',
      ...readdirSync(new URL('docs', root))
        .filter((file) => file.endsWith('.md'))
        .map((file) => `docs/${file}`),
    ]) {
      const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, target]) => target!)
      for (const target of links)
        expect(() => readFileSync(new URL(target, new URL(page, root))), target).not.toThrow(/ENOENT/)
    }
  })
})

describe('every published package', () => {
  test.each(packages().filter((one) => !one.private))('$name has what a registry page needs', (one) => {
    expect(one).toMatchObject({
      name: `@idem/${one.folder}`,
      license: 'MIT',
      description: expect.stringMatching(/\.$/),
      repository: { directory: `packages/${one.folder}` },
      engines: { node: '>=20.19' },
      files: ['dist'],
      sideEffects: false,
    })
    expect(read(`packages/${one.folder}/README.md`)).toMatch(new RegExp(`^# @idem/${one.folder}\n`))
  })
})

test('one version of pnpm is named everywhere: another would make it try to replace itself', () => {
  const { packageManager, devDependencies, scripts } = JSON.parse(read('package.json'))
  expect(packageManager).toBe(`pnpm@${devDependencies.pnpm}`)
  expect(scripts.bootstrap).toContain(`npx --yes ${packageManager} `)
})

interface Manifest {
  readonly folder: string
  readonly name: string
  readonly private?: boolean
  readonly [member: string]: unknown
}

function packages(): Manifest[] {
  return readdirSync(new URL('packages', root)).map((folder) => ({
    folder,
    ...JSON.parse(read(`packages/${folder}/package.json`)),
  }))
}

test('docs/article.md names tests that there are', () => {
  const rows = [...read('docs/article.md').matchAll(/`([\w./-]+\.test\.ts)`: ([^|<]+?) *(?=\||<br>)/g)]
  expect(rows.length).toBeGreaterThanOrEqual(20)
  for (const [, file, name] of rows) expect(read(file!)).toContain(name)
})
