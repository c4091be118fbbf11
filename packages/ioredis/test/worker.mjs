// A process that shares a Redis with the test: an idem of its own, driven by the test over IPC.
import { appendFile } from 'node:fs/promises'
import { createIdem } from '@idem/core'
import { ioredisStore } from '@idem/ioredis'
import { serveWorker } from '@idem/testing'
import { Redis } from 'ioredis'

const { REDIS_URL, PREFIX, IDEM_OPTIONS = '{}' } = process.env
const client = new Redis(REDIS_URL)
const idem = createIdem({
  store: ioredisStore(client, { prefix: PREFIX }),
  logger: { warn() {} },
  ...JSON.parse(IDEM_OPTIONS),
})

/** Executions that run until the test says how they end. */
const running = new Map()

const server = serveWorker({
  /** Many callers at once; the work takes `workMs`. Gives each caller's value, outcome and time of arrival. */
  async storm(key, callers, workMs) {
    const call = async () => {
      const { value, outcome } = await idem.runWithOutcome(key, async () => {
        server.emit('began', { at: process.hrtime.bigint() })
        await new Promise((resolve) => setTimeout(resolve, workMs))
        return { by: process.pid, finishedAt: String(process.hrtime.bigint()) }
      })
      return { value, outcome, at: process.hrtime.bigint() }
    }
    return Promise.all(Array.from({ length: callers }, call))
  },
  /** One caller; the work runs until `settle`, and reports when it is aborted. */
  run(key) {
    return idem.runWithOutcome(key, ({ signal }) => {
      signal.addEventListener('abort', () => server.emit('aborted', signal.reason.code))
      const work = new Promise((resolve, reject) => running.set(key, { resolve, reject }))
      server.emit('began', { at: process.hrtime.bigint() })
      return work
    })
  },
  /** One caller of an effect: a line in a file. It ends at once, or never. */
  async effect(key, path, { hangs = false, ...options } = {}) {
    const effect = async () => {
      await appendFile(path, `${process.pid}\n`)
      server.emit('began', { at: process.hrtime.bigint() })
      if (hangs) await new Promise(() => {})
      return process.pid
    }
    return idem.run(key, effect, options)
  },
  settle(key, { value, error }) {
    const { resolve, reject } = running.get(key)
    error ? reject(new Error(error)) : resolve(value)
  },
  stats: () => idem.stats(),
})
