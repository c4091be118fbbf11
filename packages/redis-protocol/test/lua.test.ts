import { readdirSync, readFileSync } from 'node:fs'
import { startRedis, type TestRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generate } from '../scripts/generate-lua.mjs'
import * as scripts from '../src/lua.gen.js'

const folder = new URL('../src/lua/', import.meta.url)
const files = readdirSync(folder)

let redis: TestRedis
let client: Redis
beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.url)
})
afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

test('the generated module is what the Lua files say', () => {
  expect(readFileSync(new URL('../src/lua.gen.ts', import.meta.url), 'utf8')).toBe(generate())
})

test('Redis knows each script by the SHA-1 we send', async () => {
  for (const { sha1, source } of Object.values(scripts))
    expect(await client.script('LOAD', source)).toBe(sha1)
  expect(Object.keys(scripts)).toHaveLength(files.length)
})

describe.each(files)('%s', (file) => {
  const text = readFileSync(new URL(file, folder), 'utf8')
  const [, header = '', body = ''] = /^--\[\[([\s\S]*?)\]\]([\s\S]*)$/.exec(text) ?? []
  const named = (source: string, name: 'KEYS' | 'ARGV') => [
    ...new Set(
      [...source.matchAll(new RegExp(`${name}\\[(\\d+)\\]`, 'g'))].map(([, index]) => Number(index)),
    ),
  ]

  test('its header names the keys and arguments its body uses, no more and no fewer', () => {
    expect(named(header, 'KEYS')).toEqual(named(body, 'KEYS').sort())
    expect(named(header, 'ARGV')).toEqual(named(body, 'ARGV').sort())
  })

  test('its header tells every answer its body gives', () => {
    const answers = [...body.matchAll(/return (?:\{ )?('\w+'|\d|nil)/g)].map(([, answer]) => answer!)
    expect(header).toMatch(/^ {2}Output {3}\S/m)
    for (const answer of answers) expect(header).toContain(answer)
  })

  test('touches one key, as its name says', () => {
    expect(file).toMatch(/-1\.lua$/)
    expect(named(body, 'KEYS')).toEqual([1])
  })
})
