import { startProvider, startRedis } from '@idem/testing'
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { startDemo } from './demo-process.js'
import { withoutRedis } from './without-redis.js'

describe('the demo, once', () => {
  test('without Redis holds what it can, says what it did not run and why, and exits 0', async () => {
    const { code, output, lines } = await startDemo(['--once'], await withoutRedis()).exited
    expect(output).toContain('✔ 1 upstream call\n')
    expect(output).toContain('✔ plain SDK: 4 upstream calls, then APIConnectionTimeoutError')
    expect(output).toMatch(/✔ closed after \d+ characters; asking again gave all \d+\n/)
    expect(output.match(/not run: several processes share over Redis: install redis-server 7/g)).toHaveLength(
      5,
    )
    expect(lines.at(-1)).toBe('6 scenarios held, 0 failed, 5 not run')
    expect(code).toBe(0)
  })

  test('with a Redis it is given holds everything, never stops it, and leaves nothing in it', async () => {
    const redis = await startRedis({ args: [] })
    const client = new Redis(redis.url)
    const { code, output, lines } = await startDemo(['--once'], { REDIS_URL: redis.url }).exited
    const left = await client.keys('idem:demo:*')
    const server = await client.info('server')
    client.disconnect()
    await redis.stop()
    expect(left).toEqual([])
    expect(Number(/^process_id:(\d+)/m.exec(server)?.[1])).toBe(redis.pid)
    expect(output).not.toContain('✘')
    expect(output).toMatch(/✔ the second had the first \d+ characters \d+ ms after it asked/)
    expect(output).toMatch(/lag of \d+ live pieces, from caller to caller: p50 [\d.]+ ms, p99 [\d.]+ ms\n/)
    expect(lines.at(-1)).toBe('11 scenarios held, 0 failed, 0 not run')
    expect(code).toBe(0)
    process.stdout.write(`${output.match(/ {4}\S.*/g)?.join('\n')}\n`)
  })

  test('with an API key calls the API the SDK is pointed at, and says which scenarios cannot run there', async () => {
    const api = await startProvider()
    const env = { ANTHROPIC_API_KEY: 'sk-test', ANTHROPIC_BASE_URL: api.url, ...(await withoutRedis()) }
    const { code, output, lines } = await startDemo(['--once'], env).exited
    expect(api.calls).toBe(2)
    await api.stop()
    expect(output).toContain(`the API at ${new URL(api.url).host}: calls are billed`)
    expect(output).not.toContain('sk-test')
    expect(lines.at(-1)).toBe('2 scenarios held, 0 failed, 9 not run')
    expect(code).toBe(0)
  })

  test.each([
    [
      'a Redis that is not there',
      [],
      { REDIS_URL: 'redis://127.0.0.1:1' },
      /^Cannot use the Redis at .*ECONNREFUSED.*Mend REDIS_URL, or unset it/,
    ],
    ['an invalid URL', [], { REDIS_URL: 'localhost:6379' }, /^REDIS_URL must be like redis:/],
    [
      'a URL it cannot use',
      [],
      { REDIS_URL: 'rediss://me:secret@localhost' },
      /^(?!.*secret)REDIS_URL must be/,
    ],
    ['an invalid port', [], { PORT: 'http' }, /^PORT must be a number/],
    ['a flag it does not know', ['--twice'], {}, /Unknown option '--twice'[\s\S]*npm start/],
  ])('refuses %s in a sentence', async (_, args, env, sentence) => {
    const { code, output } = await startDemo(['--once', ...args], env as Record<string, string>).exited
    expect(output).toMatch(sentence)
    expect(output).not.toContain('    at ')
    expect(code).toBe(2)
  })

  test('exits 1 when something does not hold', async () => {
    const api = await startProvider()
    api.reply({ status: 400 })
    const env = { ANTHROPIC_API_KEY: 'sk-test', ANTHROPIC_BASE_URL: api.url, ...(await withoutRedis()) }
    const { code, output, lines } = await startDemo(['--once'], env).exited
    await api.stop()
    expect(output).toContain('✘')
    expect(lines.at(-1)).toBe('0 scenarios held, 2 failed, 9 not run')
    expect(code).toBe(1)
  })
})
