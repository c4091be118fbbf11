// `pnpm bench`: measures, and writes RESULTS.md. `--quick`: counts alone, and fails where one is over its bound.
// `--only hit` runs the tables whose name begins so, and writes nothing.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startProvider, startRedis } from '@idem/testing'
import { counts } from './counts.mjs'
import { countsTable, head, table } from './report.mjs'
import { clusterHit } from './scenarios/cluster.mjs'
import { lag } from './scenarios/lag.mjs'
import {
  herd,
  hit,
  localHerd,
  manyKeys,
  manyWaiters,
  miss,
  ownerKilled,
  record,
} from './scenarios/over-redis.mjs'
import { key, replayed } from './scenarios/sdk.mjs'
import { weight } from './scenarios/weight.mjs'

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, rounds: { type: 'string', default: '9' } },
})

/** Each table: its name, what it shows, and how it is measured. */
const TABLES = [
  ['hit', 'One answer of 4 KiB that is stored, read again, one call at a time.', (on) => hit(on, 1, 1)],
  ['hit, 64 in flight', 'The same, 64 calls at a time, of 64 keys.', (on) => hit(on, 64, 64)],
  ['hit, hot key', 'The same, 64 calls at a time, of one key.', (on) => hit(on, 64, 1)],
  ['miss', 'A key that nobody has asked for; the work takes no time. Raw: GET and SET.', miss],
  [
    'herd in a process',
    '1,000 callers of one key at once; the work takes 50 ms. From its end to each caller.',
    localHerd,
  ],
  [
    'herd',
    '250 callers in each of 4 processes at once; the work takes 500 ms. From its end to each caller.',
    herd,
  ],
  [
    'owner killed',
    'From SIGKILL to the answer of another process; a lease of 5 s.',
    (on) => ownerKilled(fewer(on)),
  ],
  ['many keys', 'One process waits for 1,000 keys that another one holds.', (on) => manyKeys(fewer(on))],
  [
    'many waiters',
    '10,000 callers in one process wait for one key that another one holds.',
    (on) => manyWaiters(fewer(on)),
  ],
  [
    'SDK call, JSON',
    'A call of the Anthropic SDK, answered from a record. Alone: a bare function keeps the answer.',
    (on) => replayed(on, 'json'),
  ],
  ['SDK call, stream', 'The same, a stream of 200 pieces.', (on) => replayed(on, 'stream')],
  [
    'lag',
    'From the owner’s caller of a stream to a follower in another process; pieces are collected for 20 ms.',
    lag,
  ],
  ['key', 'A request over memory, all of it: read, keyed, answered.', (on) => key(fewer(on))],
  ...[1, 64, 1_024, 8_000].map((kilobytes) => [
    `record of ${kilobytes} KB`,
    'A record, read again, one at a time.',
    (on) => record(on, kilobytes * 1_000),
  ]),
  [
    'cluster of 1 master',
    'Hits of 64 keys, 64 in flight, through a cluster client.',
    (on) => clusterHit(on, 1),
  ],
  ['cluster of 3 masters', 'The same.', (on) => clusterHit(on, 3)],
  ['weight', 'Core alone: all of it in one bundle, and imported by a process that has just begun.', weight],
]
const fewer = (on) => ({ ...on, count: Math.min(on.count, 3) })

const redis = await startRedis({ args: ['--databases', '1'] })
const provider = await startProvider()
const say = (text) => process.stdout.write(`${text}\n`)

const counted = await counts(redis)
const report = [countsTable(counted)]
say(report[0])
if (!values.quick) {
  for (const [name, what, measure] of TABLES) {
    if (values.only && !name.startsWith(values.only)) continue
    report.push(table(name, what, await measure({ redis, provider, count: Number(values.rounds) })))
    say(report.at(-1))
  }
  if (!values.only)
    writeFileSync(new URL('./RESULTS.md', import.meta.url), [head(values.rounds), ...report].join('\n'))
}
await Promise.all([redis.stop(), provider.stop()])

const over = counted.filter(({ value, bound }) => value > bound)
for (const { name, what, value, bound } of over) say(`${name}: ${what}: ${value} is over ${bound}.`)
process.exit(over.length > 0 ? 1 : 0)
