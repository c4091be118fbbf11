// How far a duplicate in another process is behind the owner's caller, chunk by chunk, beside one bare hop of the same
// Redis. Exits with 1 where the median is not under the batch interval and 5 ms.
import { createHistogram } from 'node:perf_hooks'
import { gatedReply, spawnWorker, startProvider, startRedis } from '@idem/testing'

const BATCH_MS = 20
const BOUND_MS = BATCH_MS + 5

const [redis, provider] = await Promise.all([startRedis(), startProvider()])
const env = {
  REDIS_URL: redis.url,
  PREFIX: redis.prefix,
  UPSTREAM_URL: provider.url,
  BATCH_MS: String(BATCH_MS),
}
const file = new URL('./worker.mjs', import.meta.url)
const [owner, follower] = await Promise.all([spawnWorker(file, { env }), spawnWorker(file, { env })])

/** One bare message from process to process. */
async function hops(count) {
  const lags = createHistogram()
  const channel = `${redis.prefix}bench`
  await follower.call('listen', channel)
  for (let index = 0; index < count; index++) {
    const heard = follower.once('heard')
    const sentAt = await owner.call('publish', channel, String(index))
    lags.record((await heard).at - sentAt)
  }
  return lags
}

/** A stream of `count` chunks, one every `everyMs`, that the follower joins at its first chunk. */
async function stream(count, everyMs) {
  const about = `${count} chunks, ${everyMs} ms apart`
  const gate = gatedReply({ text: 'token '.repeat(count) })
  provider.reply(gate.script)
  gate.open(3)
  const [began, joined] = [owner.once('began'), follower.once('began')]
  const owned = owner.call('stream', about)
  await began
  const followed = follower.call('stream', about)
  await joined
  const ticks = setInterval(() => gate.open(1), everyMs)
  const [here, there] = await Promise.all([owned, followed])
  clearInterval(ticks)
  const lags = createHistogram()
  const live = here.filter(([, at]) => at > there[0][1])
  for (const [bytes, at] of live) {
    const arrived = there.find(([upTo]) => upTo >= bytes)[1]
    lags.record(arrived > at ? arrived - at : 1n)
  }
  return lags
}

const ms = (ns) => (ns / 1e6).toFixed(2)
function print(name, lags, hop) {
  const [p50, p99] = [lags.percentile(50), lags.percentile(99)]
  const beside = hop ? `, ${(p50 / hop.percentile(50)).toFixed(1)} hops` : ''
  process.stdout.write(`${name}: p50 ${ms(p50)} ms${beside}, p99 ${ms(p99)} ms (${lags.count})\n`)
}

await stream(50, 2) // Warm.
const hop = await hops(300)
print('one bare hop of this Redis', hop)
const results = []
for (const everyMs of [2, 10, 40]) {
  const lags = await stream(Math.round(3_000 / everyMs), everyMs)
  print(`a chunk every ${everyMs} ms`, lags, hop)
  results.push(lags.percentile(50) / 1e6)
}
await Promise.all([owner.stop(), follower.stop()])
await Promise.all([redis.stop(), provider.stop()])

const worst = Math.max(...results)
process.stdout.write(`worst median ${worst.toFixed(2)} ms; bound ${BOUND_MS} ms\n`)
if (worst >= BOUND_MS) process.exitCode = 1
