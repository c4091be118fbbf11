import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createIdem, memoryStore } from '@idem/core'
import type { Dialect } from '@idem/core/dialect'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'

const page = readFileSync(new URL('../docs/dialects.md', import.meta.url), 'utf8')
const streamOf = (...events: [name: string, data: string][]) =>
  events.map(([name, data]) => `event: ${name}\ndata: ${data}\n\n`).join('')
const LINE: [string, string] = ['line', '{"line":"one"}']
const POEM = streamOf(LINE, ['line', '{"line":"two"}'], ['end', '{"done":"end","words":2}'])
const STREAMS: Record<string, string> = {
  trouble: streamOf(LINE, ['error', '{"error":"no more paper"}']),
  limit: streamOf(LINE, ['end', '{"done":"limit","words":1}']),
}

// Beside this file, so that it finds the packages.
const folder = mkdtempSync(new URL('./.docs-', import.meta.url).pathname)
let poemsDialect: Dialect
let calls = 0
const server = createServer((request, response) => {
  calls++
  let text = ''
  request.on('data', (chunk) => {
    text += chunk
  })
  request.on('end', () => {
    const { stream, topic } = JSON.parse(text)
    if (!stream)
      return void response
        .setHeader('content-type', 'application/json')
        .end('{"poem":"one\\ntwo","done":"end","words":2}')
    response.setHeader('content-type', 'text/event-stream').end(STREAMS[topic] ?? POEM)
  })
})

beforeAll(async () => {
  const [, code] = /```js\n([\s\S]*?)```/.exec(page)!
  writeFileSync(`${folder}/dialect.mjs`, code!)
  ;({ poemsDialect } = await import(`${folder}/dialect.mjs`))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
  server.close()
})
beforeEach(() => {
  calls = 0
})

function asking(warn: (line: string) => void = () => {}) {
  const idem = createIdem({ store: memoryStore(), dialects: [poemsDialect], logger: { warn } })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/poems`
  return async (body: object, key = 'mine') => {
    const init = { method: 'POST', headers: { 'x-poems-key': key }, body: JSON.stringify(body) }
    return (await idem.fetch(url, init)).text()
  }
}

test('the dialect of the page shares: duplicates cost one call, JSON and stream, each as it was asked for', async () => {
  const ask = asking()
  const whole = { topic: 'rain' }
  const answers = await Promise.all([ask(whole), ask(whole), ask({ ...whole, stream: true })])
  expect(JSON.parse(answers[0]!)).toEqual({ poem: 'one\ntwo', done: 'end', words: 2 })
  expect(answers[1]).toBe(answers[0])
  expect(answers[2]).toBe(POEM)
  expect(calls).toBe(1)
  const streamed = asking()
  expect(await streamed({ ...whole, stream: true })).toBe(answers[2])
  expect(JSON.parse(await streamed(whole))).toEqual(JSON.parse(answers[0]!))
  expect(calls).toBe(2)
})

test('it keeps other requests, other credentials and errors apart', async () => {
  const ask = asking()
  await ask({ topic: 'rain' })
  await ask({ topic: 'snow' })
  await ask({ topic: 'rain', a_field_of_tomorrow: 1 })
  await ask({ topic: 'rain' }, 'another')
  expect(calls).toBe(4)
  const trouble = { topic: 'trouble', stream: true }
  await ask(trouble)
  await ask(trouble)
  expect(calls).toBe(6)
})

test('it shares an answer that was cut short, and does not store it', async () => {
  const warn = vi.fn()
  const ask = asking(warn)
  const limit = { topic: 'limit', stream: true }
  await Promise.all([ask(limit), ask(limit)])
  expect(calls).toBe(1)
  await ask(limit)
  expect(calls).toBe(2)
  expect(warn).not.toHaveBeenCalled()
})

test('its inspector says whole of no stream that is cut before the data of its last event is complete', () => {
  const bytes = Buffer.from(POEM)
  const stateAt = (cut: number) => {
    const inspector = poemsDialect.streams!.inspect()
    inspector.push(bytes.subarray(0, cut))
    inspector.end?.()
    return inspector.state
  }
  const lastData = POEM.trimEnd().length
  for (let cut = 0; cut < lastData; cut++) expect(stateAt(cut), `cut at ${cut}`).toBe('running')
  for (let cut = lastData; cut <= bytes.length; cut++) expect(stateAt(cut), `cut at ${cut}`).toBe('whole')
})
