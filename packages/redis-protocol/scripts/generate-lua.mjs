// Makes src/lua.gen.ts from src/lua/*.lua: the sources and their SHA-1, by which Redis knows a loaded script.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

const folder = new URL('../src/lua/', import.meta.url)

/** The text of the generated module. */
export function generate() {
  const scripts = readdirSync(folder)
    .filter((file) => file.endsWith('.lua'))
    .sort()
    .map((file) => {
      const source = readFileSync(new URL(file, folder), 'utf8')
      const sha1 = createHash('sha1').update(source).digest('hex')
      const name = file.replace(/-1\.lua$/, '').replace(/-(\w)/g, (_, letter) => letter.toUpperCase())
      return `export const ${name}: Script = {\n  sha1: '${sha1}',\n  source: ${JSON.stringify(source)},\n}\n`
    })
  return [
    '// Generated from src/lua by scripts/generate-lua.mjs. Do not edit.',
    'export interface Script {\n  readonly sha1: string\n  readonly source: string\n}\n',
    ...scripts,
  ].join('\n')
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  writeFileSync(new URL('../src/lua.gen.ts', import.meta.url), generate())
}
