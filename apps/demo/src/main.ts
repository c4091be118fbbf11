import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { startProvider } from '@idem/testing'
import { Redis } from 'ioredis'
import colors from 'picocolors'
import { createCaller, type SharedRedis } from './client.js'
import type { World } from './scenario.js'
import { scenarios } from './scenarios/index.js'
import { startServer } from './server.js'
import { showScenarios, showTally } from './show.js'

const USAGE = `npm start [-- --once]

Shows duplicates of real SDK calls cost one upstream call, then stays up. --once: exits after the show.

  REDIS_URL           share over this Redis (7.0 or newer) and run the scenarios with several processes
  ANTHROPIC_API_KEY   call the real API instead of the bundled provider (costs a few small calls)
  PORT                where to listen afterwards [a free port]
`

const values = flags()
if (values.help) {
  process.stdout.write(USAGE)
  process.exit(0)
}

const { REDIS_URL, ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL } = process.env
if (REDIS_URL) await reach(REDIS_URL)
const provider = ANTHROPIC_API_KEY ? undefined : await startProvider()
const world: World = {
  provider,
  upstream: { url: provider?.url },
  redis: REDIS_URL ? { url: REDIS_URL, prefix: `idem:demo:${randomUUID()}:` } : undefined,
}

const store = world.redis ? `Redis at ${redacted(world.redis.url)}` : 'the memory store'
const model = provider
  ? `a bundled provider at ${provider.url}`
  : `the API at ${ANTHROPIC_BASE_URL ?? 'api.anthropic.com'} (ANTHROPIC_API_KEY is set: this costs some small calls)`
process.stdout.write(`${colors.bold('idem')} on ${store}, with ${model}\n\n`)

const tally = await showScenarios(scenarios, world)
showTally(tally)

if (!values.once) {
  const caller = createCaller(world.upstream, world.redis)
  provider?.reset()
  const server = await startServer(caller).catch((error) => refuse(`Cannot listen: ${error.message}`))
  process.stdout.write(`\nlistening on ${server.url} (Ctrl-C stops it)\n`)
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  await server.stop()
  await caller.close()
}
await provider?.stop()
if (world.redis) await removeKeys(world.redis)
process.exitCode = tally.failed > 0 ? 1 : 0

function flags() {
  try {
    return parseArgs({ options: { once: { type: 'boolean' }, help: { type: 'boolean' } } }).values
  } catch (error) {
    return refuse(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

/** Takes out of the Redis what this run has put into it: records would go by themselves, statistics after weeks. */
async function removeKeys({ url, prefix }: SharedRedis): Promise<void> {
  const client = new Redis(url)
  for await (const keys of client.scanStream({ match: `${prefix}*`, count: 1_000 })) {
    if (keys.length > 0) await client.unlink(keys)
  }
  client.disconnect()
}

/** Ends with a sentence unless there is a Redis at this URL. */
async function reach(url: string): Promise<void> {
  if (!/^redis:\/\/./.test(url)) refuse(`REDIS_URL must be like redis://127.0.0.1:6379, not ${url}`)
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
  let reason = ''
  client.on('error', (error) => {
    reason = error.message
  })
  await client
    .connect()
    .catch(() => refuse(`There is no Redis at ${redacted(url)}: ${reason}. Start one, or unset REDIS_URL.`))
  client.disconnect()
}

function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(2)
}

/** A URL as it may be shown: without its password. */
function redacted(url: string): string {
  const shown = new URL(url)
  if (shown.password) shown.password = '…'
  return shown.href
}
