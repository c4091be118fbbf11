import { fileURLToPath } from 'node:url'
import { createIdem } from '@idem/core'
import fc from 'fast-check'
import ts from 'typescript'
import { expect, test } from 'vitest'

const file = fileURLToPath(new URL('ttl.virtual.ts', import.meta.url))

/** The texts among these that the compiler accepts as a Ttl. */
function typed(texts: readonly string[]): Set<string> {
  const lines = texts.map((text, index) => `export const t${index}: Ttl = ${JSON.stringify(text)}`)
  const code = ["import type { Ttl } from '@idem/core'", ...lines].join('\n')
  const options: ts.CompilerOptions = {
    strict: true,
    skipLibCheck: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (name) => name === file || fileExists(name)
  host.getSourceFile = (name, target, ...rest) =>
    name === file ? ts.createSourceFile(name, code, target) : getSourceFile(name, target, ...rest)
  const program = ts.createProgram([file], options, host)
  const source = program.getSourceFile(file)!
  const refused = program
    .getSemanticDiagnostics(source)
    .map(({ start = 0 }) => ts.getLineAndCharacterOfPosition(source, start).line - 1)
  expect(refused.every((line) => line >= 0)).toBe(true)
  return new Set(texts.filter((_, index) => !refused.includes(index)))
}

/** Whether it is read as a duration, even if it is a useless one: zero, or months. */
function parses(ttl: string): boolean {
  try {
    createIdem({ ttl: ttl as never })
    return true
  } catch (error) {
    return String(error).includes('over 0 and at most')
  }
}

test('what the type Ttl takes is what can be parsed, for whatever looks like a duration', () => {
  const number = fc.oneof(
    fc.integer({ min: -1, max: 20 }).map(String),
    fc.constantFrom(
      '1.5',
      '.5',
      '5.',
      '+5',
      '1e1',
      '0x10',
      '0b11',
      '1_0',
      '1,5',
      '1d',
      'one',
      '',
      'NaN',
      'Infinity',
      '٣',
    ),
  )
  const space = fc.constantFrom('', '', ' ', '  ', '\t', '-')
  const unit = fc.oneof(
    fc.constantFrom(
      'ms',
      'msec',
      'msecs',
      'millisecond',
      'milliseconds',
      's',
      'sec',
      'secs',
      'second',
      'seconds',
    ),
    fc.constantFrom(
      'm',
      'min',
      'mins',
      'minute',
      'minutes',
      'h',
      'hr',
      'hrs',
      'hour',
      'hours',
      'd',
      'day',
      'days',
    ),
    fc.constantFrom(
      'w',
      'week',
      'weeks',
      'y',
      'year',
      'months',
      'S',
      'Min',
      'parsecs',
      '',
      's ',
      'us',
      'hs',
      'm30s',
    ),
  )
  const text = fc.tuple(number, space, unit).map((parts) => parts.join(''))
  const texts = [...new Set(fc.sample(text, { numRuns: 1_500, seed: 7 }))]
  const good = typed(texts)
  expect(good.size).toBeGreaterThan(100)
  expect(texts.length - good.size).toBeGreaterThan(100)
  expect(texts.filter((one) => parses(one) !== good.has(one))).toEqual([])
}, 120_000)
