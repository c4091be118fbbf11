import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file of tests that uses a Redis. */
export interface RedisTest {
  /** The package or app it belongs to, from the root of the repository. */
  readonly folder: string
  /** From `folder`. */
  readonly file: string
  /** Why it is not run in containers. */
  readonly elsewhere?: string
}

const root = fileURLToPath(new URL('..', import.meta.url))

const elsewhere: { readonly reason: string; has(path: string, text: string): boolean }[] = [
  {
    reason: 'starts a cluster of processes of this machine, which can be killed, paused and resharded',
    has: (_, text) => text.includes('startRedisCluster('),
  },
  {
    reason: 'is about servers that are processes of this machine, or borrowed',
    has: (path) => path === 'packages/testing/test/redis.test.ts',
  },
  {
    reason: 'is about the tests of the kit, to which one Redis is as good as another',
    has: (path) => path.endsWith('/mutations.test.ts'),
  },
  {
    reason: 'shows what a newcomer runs, to whom one address of a Redis is as good as another',
    has: (path) => path === 'test/readme.test.ts' || path.startsWith('apps/demo/'),
  },
]

/** Every file of tests that starts a Redis, itself or through a file beside it. */
export function redisTests(): RedisTest[] {
  const folders = ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(parent, name, 'test')),
  )
  return ['test', ...folders]
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(test|containers)\.ts$/.test(name) && !name.includes('node_modules'))
        .map((name) => join(folder, name)),
    )
    .map((path) => ({ path, text: textOf(join(root, path)) }))
    .filter(({ text }) => /\bstartRedis(Cluster(Container)?)?\(/.test(text))
    .map(({ path, text }) => {
      const [, folder = '', file = ''] = /^((?:packages|apps)\/[^/]+|test)\/(.*)$/.exec(path) ?? []
      const reason = elsewhere.find(({ has }) => has(path, text))?.reason
      return reason ? { folder, file, elsewhere: reason } : { folder, file }
    })
}

/** A file and what it imports from beside it. */
function textOf(path: string, seen = new Set<string>()): string {
  if (seen.has(path) || !existsSync(path)) return ''
  seen.add(path)
  const text = readFileSync(path, 'utf8')
  const imports = [...text.matchAll(/from '(\.\/[^']+)\.js'/g)].map(([, name]) =>
    join(dirname(path), `${name}.ts`),
  )
  return [text, ...imports.map((name) => textOf(name, seen))].join('\n')
}
