// What core weighs: bytes of a bundle, and ms of an import.
import { execFileSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { rounds } from '../rounds.mjs'

const IMPORTS = { 'an empty module': 'data:text/javascript,', '@idem/core': '@idem/core' }

function importMs(name) {
  const script = `const at = performance.now(); await import(${JSON.stringify(name)}); console.log(performance.now() - at)`
  const cwd = new URL('..', import.meta.url)
  return Number(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd, encoding: 'utf8' }),
  )
}

export async function weight({ count }) {
  const names = Object.keys(IMPORTS)
  const times = await rounds(count, names, async (at) => ({ 'import ms': importMs(IMPORTS[names[at]]) }))
  const { outputFiles } = await build({
    stdin: { contents: "export * from '@idem/core'", resolveDir: new URL('..', import.meta.url).pathname },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
  })
  const bytes = gzipSync(outputFiles[0].contents).byteLength
  const kilobytes = { 'min + gzip KB': bytes / 1_000 }
  return names.map((name, at) => ({ name, numbers: { ...times[at], ...(at === 1 && kilobytes) } }))
}
