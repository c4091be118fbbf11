import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startProvider, startRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const running: ChildProcess[] = []
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

/** The demo in a process of its own, in a plain terminal, with only these variables of ours. */
function start(args: string[], env: Record<string, string> = {}) {
  const { REDIS_URL, ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, FORCE_COLOR, ...inherited } = process.env
  const child = spawn(process.execPath, [main, ...args], { env: { ...inherited, NO_COLOR: '1', ...env } })
  running.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
  return {
    child,
    output: () => output,
    exited: once(child, 'exit').then(([code]) => ({ code, output, lines: output.trimEnd().split('\n') })),
    async said(pattern: RegExp): Promise<RegExpExecArray> {
      for (;;) {
        const match = pattern.exec(output)
        if (match) return match
        await once(child.stdout, 'data')
      }
    },
  }
}

describe('the demo, once', () => {
  test('without Redis holds what it can, says what it did not run and why, and exits 0', async () => {
    const { code, output, lines } = await start(['--once']).exited
    expect(output).toContain('✔ 1 upstream call\n')
    expect(output).toContain('✔ plain SDK: 4 upstream calls, then APIConnectionTimeoutError')
    expect(output).toMatch(/✔ closed after \d+ characters; asking again gave all \d+\n/)
    expect(output.match(/not run: set REDIS_URL/g)).toHaveLength(4)
    expect(lines.at(-1)).toBe('3 scenarios held, 0 failed, 4 not run')
    expect(code).toBe(0)
  })

  test('with Redis holds everything', async () => {
    const redis = await startRedis()
    const { code, output, lines } = await start(['--once'], { REDIS_URL: redis.url }).exited
    const client = new Redis(redis.url)
    const left = await client.keys('idem:demo:*')
    client.disconnect()
    await redis.stop()
    expect(left).toEqual([])
    expect(output).not.toContain('✘')
    expect(output).toMatch(/✔ the second had the first \d+ characters \d+ ms after it asked/)
    expect(output).toMatch(/lag of \d+ live pieces, from caller to caller: p50 [\d.]+ ms, p99 [\d.]+ ms\n/)
    expect(lines.at(-1)).toBe('7 scenarios held, 0 failed, 0 not run')
    expect(code).toBe(0)
    process.stdout.write(`${output.match(/ {4}\S.*/g)?.join('\n')}\n`)
  })

  test('with an API key calls the API the SDK is pointed at, and says which scenarios cannot run there', async () => {
    const api = await startProvider()
    const env = { ANTHROPIC_API_KEY: 'sk-test', ANTHROPIC_BASE_URL: api.url }
    const { code, output, lines } = await start(['--once'], env).exited
    expect(api.calls).toBe(2)
    await api.stop()
    expect(output).toContain(`with the API at ${api.url}`)
    expect(output).not.toContain('sk-test')
    expect(lines.at(-1)).toBe('2 scenarios held, 0 failed, 5 not run')
    expect(code).toBe(0)
  })

  test.each([
    [
      'a Redis that is not there',
      [],
      { REDIS_URL: 'redis://127.0.0.1:1' },
      /^There is no Redis at .*ECONNREFUSED.*unset REDIS_URL/,
    ],
    ['a URL that is none', [], { REDIS_URL: 'localhost:6379' }, /^REDIS_URL must be like redis:/],
    ['a flag it does not know', ['--twice'], {}, /Unknown option '--twice'[\s\S]*npm start/],
  ])('refuses %s in a sentence', async (_, args, env, sentence) => {
    const { code, output } = await start(['--once', ...args], env as Record<string, string>).exited
    expect(output).toMatch(sentence)
    expect(output).not.toContain('    at ')
    expect(code).toBe(2)
  })

  test('exits 1 when something does not hold', async () => {
    const api = await startProvider()
    api.reply({ status: 400 })
    const env = { ANTHROPIC_API_KEY: 'sk-test', ANTHROPIC_BASE_URL: api.url }
    const { code, output, lines } = await start(['--once'], env).exited
    await api.stop()
    expect(output).toContain('✘ it broke off')
    expect(lines.at(-1)).toBe('0 scenarios held, 2 failed, 5 not run')
    expect(code).toBe(1)
  })
})

describe('the demo that stays up', () => {
  test('says where it listens, shares what it is asked, and leaves at Ctrl-C', async () => {
    const demo = start([])
    const [, url] = await demo.said(/listening on (http:\S+)/)
    const ask = () =>
      fetch(`${url}/generate`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'hello' }),
      })
    const [first, second] = [await ask(), await ask()]
    expect(first.headers.get('cache-status')).toContain('fwd=miss')
    expect(second.headers.get('cache-status')).toContain('idem; hit')
    const answer = await second.text()
    expect(answer).toBe(await first.text())
    expect(await (await fetch(`${url}/stats`)).json()).toMatchObject({ executed: 1, replayed: 1 })
    const tokens = (JSON.parse(answer) as { usage: Record<string, number> }).usage
    expect(await (await fetch(`${url}/metrics/idempotency`)).json()).toEqual({
      hit_rate_pct: 50,
      total_requests: 2,
      cache_hits: 1,
      tokens_saved: tokens.input_tokens! + tokens.output_tokens!,
      est_cost_saved_usd: expect.any(Number),
    })
    const metrics = await fetch(`${url}/metrics`)
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const lines = (await metrics.text()).split('\n')
    expect(lines).toContain('idem_calls_total{outcome="replayed"} 1')
    expect(lines).toContain(
      `idem_saved_tokens_total{by="replayed"} ${tokens.input_tokens! + tokens.output_tokens!}`,
    )
    expect((await fetch(`${url}/generate`, { method: 'POST' })).status).toBeGreaterThanOrEqual(400)
    expect(await (await fetch(url!)).text()).toContain(`${url}/generate`)
    demo.child.kill('SIGINT')
    expect((await demo.exited).code).toBe(0)
  })
})
