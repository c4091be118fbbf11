// How far a duplicate in another process is behind the owner's caller of one stream, piece by piece.
import { gatedReply, spawnWorker } from '@idem/testing'
import { percentile } from '../rounds.mjs'

const file = new URL('../lag-worker.mjs', import.meta.url)
/** How long pieces are collected before they are sent, the default of `liveBatchMs`. */
const BATCH_MS = 20

const ms = (ns) => Number(ns) / 1e6

/** One bare message of this Redis from process to process. */
async function hops(redis, owner, follower, count) {
  const lags = []
  const channel = `${redis.prefix}bench`
  await follower.call('listen', channel)
  for (let index = 0; index < count; index++) {
    const heard = follower.once('heard')
    const sentAt = await owner.call('publish', channel, String(index))
    lags.push(ms((await heard).at - sentAt))
  }
  return lags
}

/** A stream of `count` pieces, one every `everyMs`, that the follower joins at its first piece. */
async function stream(provider, owner, follower, count, everyMs) {
  const about = `${count} pieces, ${everyMs} ms apart`
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
  return here
    .filter(([, at]) => at > there[0][1])
    .map(([bytes, at]) => Math.max(0, ms(there.find(([upTo]) => upTo >= bytes)[1] - at)))
}

export async function lag({ redis, provider }) {
  const env = {
    REDIS_URL: redis.url,
    PREFIX: `${redis.prefix}lag:`,
    UPSTREAM_URL: provider.url,
    BATCH_MS: String(BATCH_MS),
  }
  const [owner, follower] = await Promise.all([1, 2].map(() => spawnWorker(file, { env })))
  await stream(provider, owner, follower, 50, 2) // Warm.
  const rows = [['one bare hop of this Redis', await hops(redis, owner, follower, 300)]]
  for (const everyMs of [2, 10, 40]) {
    const lags = await stream(provider, owner, follower, Math.round(3_000 / everyMs), everyMs)
    rows.push([`a piece every ${everyMs} ms`, lags])
  }
  await Promise.all([owner.stop(), follower.stop()])
  return rows.map(([name, lags]) => ({
    name,
    numbers: { 'p50 ms': percentile(lags, 50), 'p99 ms': percentile(lags, 99) },
  }))
}
