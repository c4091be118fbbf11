import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { startRedis, type TestRedis } from '@idem/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

/** A process that waits once for another owner, then closes its own client and nothing else. */
const programs = {
  ioredis: `
    import { Redis } from 'ioredis'
    import { ioredisStore } from '@idem/ioredis'
    const client = new Redis(process.env.REDIS_URL)
    const store = ioredisStore(client, { prefix: process.env.PREFIX })
    const close = () => client.quit()`,
  'node-redis': `
    import { createClient } from 'redis'
    import { nodeRedisStore } from '@idem/node-redis'
    const client = await createClient({ url: process.env.REDIS_URL }).connect()
    const store = nodeRedisStore(client, { prefix: process.env.PREFIX })
    const close = () => client.close()`,
}

test.each(Object.entries(programs))(
  'a process that closes its %s client and nothing else exits, although it has waited',
  async (name, opening) => {
    const program = `${opening}
      import { createIdem } from '@idem/core'
      const other = createIdem({ store })
      let finish
      const owner = createIdem({ store }).run('${name}', () => new Promise((resolve) => { finish = resolve }))
      await new Promise((resolve) => setTimeout(resolve, 100))
      const waiter = other.run('${name}', () => {})
      await new Promise((resolve) => setTimeout(resolve, 200))
      finish(1)
      await Promise.all([owner, waiter])
      await close()
      console.log('closed')`
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      env: { ...process.env, REDIS_URL: redis.url, PREFIX: redis.prefix },
      timeout: 20_000,
    })
    expect((await run).stdout).toBe('closed\n')
  },
)
