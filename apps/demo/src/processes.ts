import { spawnWorker, type Worker } from '@idem/testing'
import type { SharedRedis, Upstream } from './client.js'

/** Starts processes with an idem each, which share nothing but Redis. */
export function startProcesses(
  count: number,
  upstream: Upstream,
  redis: SharedRedis,
  leaseMs?: number,
): Promise<Worker[]> {
  const env = {
    ...(upstream.url !== undefined && { DEMO_UPSTREAM_URL: upstream.url }),
    ...(leaseMs !== undefined && { DEMO_LEASE_MS: String(leaseMs) }),
    DEMO_REDIS_URL: redis.url,
    DEMO_PREFIX: redis.prefix,
  }
  return Promise.all(
    Array.from({ length: count }, () => spawnWorker(new URL('./worker.js', import.meta.url), { env })),
  )
}

/** Lets the processes finish what they do, and ends them. */
export async function stopProcesses(workers: readonly Worker[]): Promise<void> {
  await Promise.all(
    workers.map(async (worker) => {
      await worker.call('close').catch(() => {}) // Killed in the course of the scenario.
      await worker.stop()
    }),
  )
}
