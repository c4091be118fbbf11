import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

// The files of test/types are compiled as those of a user: against what is built and what is installed.
const folder = fileURLToPath(new URL('types/', import.meta.url))
const files = readdirSync(folder)

function programOf(options: ts.CompilerOptions): ts.Program {
  return ts.createProgram(
    files.map((file) => folder + file),
    {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['node'],
      ...options,
    },
  )
}

/** The errors of one file by line, with all that the compiler says. */
function errorsOf(file: string, program: ts.Program): Map<number, string> {
  const source = program.getSourceFile(folder + file)!
  return new Map(
    ts.getPreEmitDiagnostics(program, source).map(({ start = 0, messageText }) => {
      const { line } = ts.getLineAndCharacterOfPosition(source, start)
      return [line + 1, ts.flattenDiagnosticMessageText(messageText, '\n')]
    }),
  )
}

/** What the errors must say, by line. A comment above each line that must not compile has it. */
function expectedOf(file: string): Map<number, string> {
  const lines = readFileSync(folder + file, 'utf8').split('\n')
  const marks = lines.flatMap((text, index) => {
    const [, words] = /^\/\/ error: (.*)$/.exec(text) ?? []
    return words === undefined ? [] : [[index + 2, words] as const]
  })
  return new Map(marks)
}

describe.each([
  ['strict', {}],
  ['exactOptionalPropertyTypes', { exactOptionalPropertyTypes: true }],
])('with %s', (_, options) => {
  let program: ts.Program | undefined

  test.each(files)(
    '%s: every line compiles but those marked, and their errors name the mistake',
    (file) => {
      program ??= programOf(options)
      const errors = errorsOf(file, program)
      const expected = expectedOf(file)
      expect(expected.size).toBeGreaterThan(0)
      const wrong = [...errors].filter(([line, text]) => !text.includes(expected.get(line) ?? '\0'))
      expect(wrong).toEqual([])
      expect([...expected.keys()].filter((line) => !errors.has(line))).toEqual([])
    },
    120_000,
  )
})
