import { once } from 'node:events'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { eventReader } from '@idem/core/dialect'
import { ensureRedisServer, startProvider, startRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { beforeAll, describe, expect, test } from 'vitest'
import { LEASE_MS } from '../src/lab/lab.js'
import type { Changes } from '../src/shared/rows.js'
import { openDemo, startDemo } from './demo-process.js'
import { aliveOf, processesOf } from './processes-of.js'
import { withoutRedis } from './without-redis.js'

beforeAll(() => ensureRedisServer())

async function post(url: string, body: object) {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return {
    status: response.status,
    headers: response.headers,
    json: (await response.json()) as Record<string, unknown>,
  }
}

/** Reads the server's events until one of them is enough. */
async function eventsUntil(
  url: string,
  enough: (changes: Changes) => boolean,
): Promise<{ last: Changes; text: string }> {
  const leaving = new AbortController()
  const { body } = await fetch(`${url}/events`, { signal: leaving.signal })
  let last: Changes | undefined
  let text = ''
  const read = eventReader(({ data }) => {
    const changes: Changes = JSON.parse(data)
    if (enough(changes)) last ??= changes
  })
  for await (const bytes of body!) {
    text += Buffer.from(bytes).toString()
    read(bytes)
    if (last) break
  }
  leaving.abort()
  if (!last) throw new Error('The events ended before.')
  return { last, text }
}

describe('the server', () => {
  test('shares what it is asked over its workers, says so in the headers, and counts it', async () => {
    const { url } = await openDemo()
    const [first, second] = [
      await post(`${url}/generate`, { prompt: 'hello' }),
      await post(`${url}/generate`, { prompt: 'hello' }),
    ]
    expect(first.headers.get('cache-status')).toContain('fwd=miss')
    expect(second.headers.get('cache-status')).toContain('idem; hit')
    expect(second.json).toEqual({ ...first.json, outcome: 'replayed', worker: 2 })
    // The other process writes its numbers within a second.
    await expect
      .poll(async () => (await fetch(`${url}/metrics/idempotency`)).json(), { timeout: 20_000 })
      .toEqual({
        hit_rate_pct: 50,
        total_requests: 2,
        cache_hits: 1,
        tokens_saved: expect.any(Number),
        est_cost_saved_usd: expect.any(Number),
      })
    const metrics = await fetch(`${url}/metrics`)
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const lines = (await metrics.text()).split('\n')
    expect(lines).toContain('idem_calls_total{worker="1",outcome="executed"} 1')
    expect(lines).toContain('idem_calls_total{worker="2",outcome="replayed"} 1')
    expect(lines).toContain('idem_calls_total{worker="2",outcome="executed"} 0')
    expect(
      lines.some((line) => /^idem_saved_tokens_total\{worker="2",by="replayed"\} [1-9]/.test(line)),
    ).toBe(true)
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({
      status: 'ok',
      workers: '4/4',
      redis: 'up',
    })
  })

  test('says whose mistake it was, and what to do, before anything is done', async () => {
    const { url } = await openDemo(await withoutRedis())
    for (const [path, body, sentence] of [
      ['generate', {}, /must have required property 'prompt'/],
      ['generate', { prompt: '' }, /must NOT have fewer than 1 characters/],
      ['generate', { prompt: 'x', tll: 'chat' }, /must NOT have additional properties/],
      ['generate', { prompt: 'x', ttl: 'chatty' }, /ttl must be equal to one of the allowed values/],
      ['requests', { prompt: 'x', count: 101 }, /count/],
      ['forget', { digest: 'x' }, /digest must match pattern/],
    ] as const) {
      const { status, json } = await post(`${url}/${path}`, body)
      expect([status, json.error], path).toEqual([400, expect.stringMatching(sentence)])
    }
    for (const [path, body, sentence] of [
      ['runs', { name: 'nothing' }, /There is no scenario 'nothing'. Known: double click/],
      ['runs', { name: 'owner killed' }, /cannot run here: .*install redis-server 7, or set REDIS_URL/],
      ['runs/step', {}, /Nothing waits to go on: start a scenario first/],
    ] as const) {
      const { status, json } = await post(`${url}/${path}`, body)
      expect([status, json.error], path).toEqual([409, expect.stringMatching(sentence)])
    }
    await post(`${url}/runs`, { name: 'slow model' })
    const { status, json } = await post(`${url}/runs`, { name: 'double click' })
    expect([status, json.error]).toEqual([409, "'Slow model' is running. Start this one when it is over."])
    // A second press is a slip, and a step may have been taken already.
    expect((await post(`${url}/runs`, { name: 'slow model' })).status).toBe(202)
    expect((await post(`${url}/runs/step`, {})).status).toBe(202)
    // A form of another site cannot do anything: every route that does something takes JSON.
    expect((await fetch(`${url}/runs/step`, { method: 'POST' })).status).toBe(400)
    expect((await fetch(`${url}/requests`, { method: 'POST', body: '{}' })).status).toBe(400)
    // Nor can a page under a foreign name that resolves to this address.
    const port = new URL(url).port
    const foreign = await statusFor(port, { host: `evil.example:${port}` })
    expect([foreign, await statusFor(port, { host: `localhost:${port}` })]).toEqual([403, 200])
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({
      status: 'ok',
      workers: '1/1',
      redis: 'none',
    })
  })

  test('what was saved stays so when its process is killed, and Redis is stopped and started', async () => {
    const { url } = await openDemo()
    const saved = async () =>
      (await (await fetch(`${url}/metrics/idempotency`)).json()) as {
        total_requests: number
        cache_hits: number
      }
    const run = async (name: string) => {
      await post(`${url}/runs`, { name })
      await eventsUntil(url, ({ runs = [] }) => {
        const row = runs.find((one) => one.name === name)
        if (row?.step !== undefined) void post(`${url}/runs/step`, {})
        return row !== undefined && row.state !== 'running'
      })
    }
    await run('double click')
    // Its process writes its numbers within a second.
    await expect.poll(saved, { timeout: 20_000 }).toMatchObject({ cache_hits: 49 })
    await run('owner killed')
    await run('Redis stopped')
    expect((await saved()).cache_hits).toBeGreaterThanOrEqual(49)
  })

  test('sends a page everything that was there before it came', async () => {
    const { url } = await openDemo(await withoutRedis())
    await post(`${url}/generate`, { prompt: 'hello', model: 'claude-opus-5-5', ttl: 'chat' })
    const { last } = await eventsUntil(url, ({ world }) => world !== undefined)
    expect(last.requests).toMatchObject([
      {
        id: 1,
        worker: 1,
        prompt: 'hello',
        model: 'claude-opus-5-5',
        ttl: 'chat',
        outcome: 'executed',
        attempts: 1,
      },
    ])
    expect(last.calls).toMatchObject([{ request: 1, worker: 1, status: 200, end: 'whole' }])
    expect(last.requests?.[0]?.text).toMatch(/the result of the first\.$/)
  })

  test('inspects what is locked and stored, in the memory of a process as in Redis, and forgets it', async () => {
    for (const env of [await withoutRedis(), {}]) {
      const { url } = await openDemo(env)
      const asked = post(`${url}/generate`, { prompt: 'hello', ttl: 'chat', stream: true })
      const locked = await eventsUntil(url, ({ keys = [] }) => keys.some(({ state }) => state === 'locked'))
      expect(locked.last.keys).toMatchObject([{ state: 'locked', worker: 1, ttlMs: LEASE_MS }])
      await asked
      const stored = await eventsUntil(url, ({ keys = [] }) => keys.some(({ state }) => state === 'stored'))
      const [key] = stored.last.keys ?? []
      expect(key).toMatchObject({ state: 'stored', worker: 1, owner: locked.last.keys?.[0]?.owner })
      expect(key?.ttlMs).toBeGreaterThan(5 * 60_000 - 10_000)
      expect(key?.ttlMs).toBeLessThanOrEqual(5 * 60_000)
      expect(key?.bytes).toBeGreaterThan(500)
      expect((await post(`${url}/forget`, { digest: key!.digest })).json).toEqual({ forgotten: true })
      await eventsUntil(url, ({ keys }) => keys?.length === 0)
      const again = await post(`${url}/generate`, { prompt: 'hello', ttl: 'chat', stream: true })
      expect(again.json.outcome).toBe('executed')
    }
  })

  test('never shows a credential: in no event, header, metric or line of output', async () => {
    const api = await startProvider()
    const gateway = `${api.url}/secret-of-a-gateway`
    const demo = await openDemo({ ANTHROPIC_API_KEY: 'sk-very-secret', ANTHROPIC_BASE_URL: gateway })
    await post(`${demo.url}/requests`, { prompt: 'hello', count: 5 })
    const { text, last } = await eventsUntil(demo.url, ({ keys = [] }) =>
      keys.some(({ state }) => state === 'stored'),
    )
    const answer = await post(`${demo.url}/generate`, { prompt: 'hello' })
    const metrics = await (await fetch(`${demo.url}/metrics`)).text()
    const shown = [
      text,
      JSON.stringify(last),
      JSON.stringify([...answer.headers, answer.json]),
      metrics,
      demo.output(),
    ]
    expect(api.requests[0]?.headers.authorization).toBe('Bearer sk-very-secret')
    for (const one of shown) expect(one).not.toContain('secret')
    expect(api.calls).toBe(1)
    await api.stop()
  })

  test('shows the Redis it was given without its password', async () => {
    const redis = await startRedis({ args: [] })
    const client = new Redis(redis.url)
    await client.config('SET', 'requirepass', 'very-secret')
    client.disconnect()
    const { host } = new URL(redis.url)
    const demo = await openDemo({ REDIS_URL: `redis://${host}?password=very-secret` })
    const { text, last } = await eventsUntil(demo.url, ({ world }) => world !== undefined)
    expect(last.world?.store).toContain(host)
    for (const shown of [text, demo.output()]) expect(shown).not.toContain('secret')
    await redis.stop()
  })
})

describe('Ctrl-C', () => {
  test.each([
    [
      'while answers are on their way',
      async (url: string) =>
        void (await post(`${url}/requests`, { prompt: 'hello', stream: true, count: 20 })),
    ],
    [
      'while a worker is paused',
      async (url: string) => {
        await post(`${url}/runs`, { name: 'owner paused' })
        await eventsUntil(url, ({ workers = [] }) => workers.some(({ state }) => state === 'paused'))
      },
    ],
    [
      'while Redis is stopped',
      async (url: string) => {
        await post(`${url}/runs`, { name: 'Redis stopped' })
        await eventsUntil(url, ({ runs = [] }) => runs.some(({ step }) => step !== undefined))
      },
    ],
  ])('%s leaves no process, no port and no key behind', async (_, happen) => {
    const redis = await startRedis({ args: [] })
    const client = new Redis(redis.url)
    for (const env of [{}, { REDIS_URL: redis.url }] as Record<string, string>[]) {
      const demo = await openDemo(env)
      await post(`${demo.url}/generate`, { prompt: 'is there something to leave behind?' })
      if ('REDIS_URL' in env) expect(await client.keys('idem:demo:*')).not.toEqual([])
      await happen(demo.url)
      const processes = await processesOf(demo.child.pid!)
      // Four workers, each with a shell that ends it if the demo is killed.
      expect(processes.length).toBeGreaterThanOrEqual(8)
      demo.interrupt()
      demo.interrupt()
      expect((await demo.exited).code).toBe(0)
      await expect.poll(() => aliveOf(processes), { timeout: 20_000 }).toEqual([])
      if ('REDIS_URL' in env) expect(await client.keys('idem:demo:*')).toEqual([])
      const { port } = new URL(demo.url)
      await listening(Number(port))
    }
    client.disconnect()
    await redis.stop()
  })

  test.each(['SIGHUP', 'SIGTERM'] as const)(
    'and %s, as of a terminal that is closed, are the same',
    async (signal) => {
      const redis = await startRedis({ args: [] })
      const client = new Redis(redis.url)
      const demo = await openDemo({ REDIS_URL: redis.url })
      await post(`${demo.url}/generate`, { prompt: 'hello' })
      demo.child.kill(signal)
      expect((await demo.exited).code).toBe(0)
      expect(await client.keys('idem:demo:*')).toEqual([])
      client.disconnect()
      await redis.stop()
    },
  )

  test('works while Redis hangs, and says what stays in it', async () => {
    const redis = await startRedis({ args: [] })
    const demo = await openDemo({ REDIS_URL: redis.url })
    await post(`${demo.url}/generate`, { prompt: 'hello' })
    process.kill(redis.pid!, 'SIGSTOP')
    demo.interrupt()
    const { code, output } = await demo.exited
    expect(output).toMatch(/does not answer: keys under idem:demo:.* leave it by their ttl/)
    expect(code).toBe(0)
    // Nor does it wait for a Redis that hangs from the start.
    const late = await startDemo([], { REDIS_URL: redis.url }).exited
    expect(late.output).toMatch(/Cannot use the Redis at .*: no answer within 3 s\. Mend REDIS_URL/)
    expect(late.code).toBe(2)
    await redis.stop()
  })

  test('in the middle of --once ends it too', async () => {
    const demo = startDemo(['--once'])
    await demo.said(/double click/)
    demo.interrupt()
    expect((await demo.exited).code).toBe(130)
  })
})

test('a port that is taken is a sentence', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const demo = startDemo([], { PORT: String(port) })
  const { code, output } = await demo.exited
  taken.close()
  expect(output).toMatch(/Cannot listen: .*EADDRINUSE.*Set PORT to a free one\.\n$/)
  expect(code).toBe(2)
})

/** The answer to these headers, which `fetch` would not send. */
async function statusFor(port: string, headers: Record<string, string>): Promise<number | undefined> {
  const [response] = await once(get({ host: '127.0.0.1', port, path: '/healthz', headers }), 'response')
  response.resume()
  return response.statusCode
}

/** Resolves when another server can have the port. */
async function listening(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  server.close()
}
