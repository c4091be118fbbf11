// pnpm create-adapter <name>: makes packages/<name> from templates/adapter.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [name] = process.argv.slice(2)
const target = join(root, 'packages', name ?? '')

if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name ?? '')) {
  fail(
    'usage: pnpm create-adapter <name>, e.g. valkey-glide: the name of the client, in lower case with dashes',
  )
}
if (existsSync(target)) fail(`packages/${name} is there already`)

const camel = name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())
const words = { __name__: name, __camel__: camel, __Pascal__: camel[0].toUpperCase() + camel.slice(1) }
const filled = (text) => text.replace(/__(?:name|camel|Pascal)__/g, (word) => words[word])

const template = join(root, 'templates', 'adapter')
for (const file of readdirSync(template, { recursive: true })) {
  const source = join(template, file)
  if (statSync(source).isDirectory()) continue
  const destination = join(target, filled(file))
  mkdirSync(dirname(destination), { recursive: true })
  writeFileSync(destination, filled(readFileSync(source, 'utf8')))
}
process.stdout.write(
  `packages/${name} is made. Add the client to its package.json (peerDependencies and devDependencies), run \`npx pnpm install\`,\nand write what is marked WRITE. CONTRIBUTING.md tells how.\n`,
)

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
