import {
  type CommandCount,
  countCommands,
  spawnWorker,
  startRedis,
  type TestRedis,
  type Worker,
} from '@idem/testing'
import { afterAll, afterEach, beforeAll } from 'vitest'

/** A Redis of this file's own, since its commands are counted, and workers that are gone after each test. */
export function useProcesses() {
  const workers: Worker[] = []
  const context = {
    spawn: async (options: Record<string, unknown> = {}): Promise<Worker> => {
      const env = {
        REDIS_URL: context.redis.url,
        PREFIX: context.redis.prefix,
        IDEM_OPTIONS: JSON.stringify(options),
      }
      const worker = await spawnWorker(new URL('./worker.mjs', import.meta.url), { env })
      workers.push(worker)
      return worker
    },
  } as {
    redis: TestRedis
    monitor: CommandCount
    spawn(options?: Record<string, unknown>): Promise<Worker>
  }
  beforeAll(async () => {
    context.redis = await startRedis({ args: ['--databases', '1'] })
    context.monitor = await countCommands(context.redis.url)
  })
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()))
  })
  afterAll(async () => {
    await context.monitor.stop()
    await context.redis.stop()
  })
  return context
}

/** Shows a measured figure beside the test; it decides nothing. */
export function report(figure: string): void {
  process.stdout.write(`    ${figure}\n`)
}
