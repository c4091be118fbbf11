import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { satisfies } from 'semver'

/** A Node to run a script with. */
export interface Runtime {
  readonly path: string
  readonly version: string
}

const folder = new URL('runtimes/', import.meta.url)

/** The lowest Node that the published packages promise to run on. */
export const floor = '20.19.0'

/** The Nodes there are, the lowest first: those of test/runtimes, where its platform has them, then the one that runs this. */
export const runtimes: readonly Runtime[] = [
  ...installed(),
  { path: process.execPath, version: process.versions.node },
]

/** The lowest Node that a package's `engines` accept, if there is one here. */
export function nodeFor(engines = '*'): Runtime | undefined {
  return runtimes.find(({ version }) => satisfies(version, engines))
}

/** Whether every runtime of test/runtimes runs on this platform. */
export const hasAllRuntimes = process.platform === 'linux' && process.arch === 'x64'

function* installed(): Generator<Runtime> {
  const { optionalDependencies } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'))
  for (const [name, spec] of Object.entries<string>(optionalDependencies)) {
    const path = fileURLToPath(new URL(`node_modules/${name}/bin/node`, folder))
    if (existsSync(path)) yield { path, version: spec.slice(spec.lastIndexOf('@') + 1) }
  }
}
