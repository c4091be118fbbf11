// A process with an idem over one adapter, driven over IPC.
import { createIdem } from '@idem/core'
import { serveWorker } from '@idem/testing'
import { clusterAdapters, serverAdapters } from './adapters.mjs'

const { ADAPTER, WHERE, PREFIX } = process.env
const open = { ...serverAdapters, ...clusterAdapters }[ADAPTER]
const where = ADAPTER in serverAdapters ? WHERE : JSON.parse(WHERE)
// Waiters are woken by hints alone: a poll would hide that one adapter does not hear the other.
const idem = createIdem({
  store: await open(where, PREFIX),
  tuning: { pollMinMs: 600_000, pollMaxMs: 600_000 },
})

let finish
const server = serveWorker({
  /** The owner: its work runs until `finish`. */
  own: (key) =>
    idem.runWithOutcome(key, () => {
      server.emit('began')
      return new Promise((resolve) => {
        finish = resolve
      })
    }),
  finish: (value) => finish(value),
  ask: (key) => idem.runWithOutcome(key, () => 'executed again'),
})
