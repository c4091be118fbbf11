import { expect, test } from 'vitest'
import { conformanceTests } from '../src/index.js'
import { brokenStores } from './broken/index.js'

test('every test of the kit is failed by some broken store', () => {
  const caught = new Set(brokenStores.flatMap(({ fails, alsoFails }) => [fails, ...Object.keys(alsoFails)]))
  expect(conformanceTests.map(({ name }) => name).filter((name) => !caught.has(name))).toEqual([])
})

test('every test that a broken store is to fail is one of the kit', () => {
  const names = new Set(conformanceTests.map(({ name }) => name))
  for (const { breaks, fails, alsoFails, mayFail } of brokenStores) {
    const listed = [fails, ...Object.keys(alsoFails), ...Object.keys(mayFail ?? {})]
    expect(
      listed.filter((name) => !names.has(name)),
      breaks,
    ).toEqual([])
  }
})

test('no two tests or mistakes have the same name', () => {
  const names = conformanceTests.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  const mistakes = brokenStores.map(({ breaks }) => breaks)
  expect(new Set(mistakes).size).toBe(mistakes.length)
})
