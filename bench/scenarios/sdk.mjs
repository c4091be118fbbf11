// What idem adds to a call of an SDK, and what the key of a request costs.
import { spawnWorker } from '@idem/testing'
import { rounds } from '../rounds.mjs'

const file = new URL('../sdk-worker.mjs', import.meta.url)
const WAYS = ['SDK alone', 'SDK alone', 'idem over memory', 'idem over Redis']

/** A call that is answered from a record, beside one whose answer a bare function keeps. */
export async function replayed({ redis, provider, count }, kind) {
  if (kind === 'stream') provider.reply({ text: 'token '.repeat(200) })
  const workers = await Promise.all(
    WAYS.map((way, at) => {
      const env = { REDIS_URL: redis.url, PREFIX: `${redis.prefix}sdk${at}:`, UPSTREAM_URL: provider.url }
      return spawnWorker(file, { args: [way], env })
    }),
  )
  const results = await rounds(count, WAYS, (at) => workers[at].call('turn', kind, 300))
  await Promise.all(workers.map((worker) => worker.stop()))
  return results.map((numbers, at) => ({
    name: at === 1 ? 'SDK alone, again (noise)' : WAYS[at],
    numbers: { ...numbers, 'added us': numbers['us a call'] - results[0]['us a call'] },
  }))
}

/** A request of one kind of text, answered from memory. */
export async function key({ redis, provider, count }) {
  const kinds = ['prose', 'base64', 'short tokens', 'numbers']
  const sizes = [1_000, 100_000, 1_000_000, 5_000_000]
  const cells = kinds.flatMap((kind) => sizes.map((bytes) => ({ kind, bytes })))
  const env = { REDIS_URL: redis.url, PREFIX: redis.prefix, UPSTREAM_URL: provider.url }
  const worker = await spawnWorker(file, { args: ['idem over memory'], env })
  const results = await rounds(count, cells, (at) => worker.call('key', cells[at].kind, cells[at].bytes))
  await worker.stop()
  return cells.map(({ kind, bytes }, at) => ({ name: `${kind}, ${bytes / 1_000} KB`, numbers: results[at] }))
}
