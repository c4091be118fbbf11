import { createIdem, memoryStore } from '@idem/core'
import { ioredisStore } from '@idem/ioredis'
import { serveWorker, type WorkerServer } from '@idem/testing'
import { Redis } from 'ioredis'
import type { Ask, Tell } from '../shared/worker-events.js'
import { Caller } from './caller.js'
import { overheard } from './overheard.js'

// A process of the demo, driven by the main one: it has an idem of its own and shares nothing but Redis.
const { DEMO_UPSTREAM_URL, DEMO_REDIS_URL, DEMO_PREFIX = '', DEMO_LEASE_MS } = process.env

// A terminal sends Ctrl-C to all of its processes: the main process ends this one.
process.on('SIGINT', () => {})

const connection = DEMO_REDIS_URL === undefined ? undefined : new Redis(DEMO_REDIS_URL)
// Outages are part of the demo, and idem's warnings tell of them.
connection?.on('error', () => {})

let server: WorkerServer
const tell: Tell = (event, news) => server.emit(event, news)
const store = connection ? ioredisStore(connection, { prefix: DEMO_PREFIX }) : memoryStore()
const idem = createIdem({
  store: overheard(store, tell),
  tuning: { leaseMs: Number(DEMO_LEASE_MS) },
  logger: { warn: () => {} },
})
const caller = new Caller(DEMO_UPSTREAM_URL, idem, tell)

server = serveWorker({
  ask: (ask: Ask) => caller.ask(ask),
  leave: (id: number) => caller.leave(id),
  /** What stands under a key. */
  read: (key: string) => store.read(key),
  forget: (digest: string) => idem.forget({ digest }),
  stats: () => idem.stats(),
  /** The numbers of this run alone: its prefix is new. It may go on over midnight. */
  fleetStats: () => idem.fleetStats({ days: 7 }),
})
