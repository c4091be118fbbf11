import { createIdem, memoryStore } from '@idem/core'
import { ioredisStore } from '@idem/ioredis'
import { serveWorker, type WorkerServer } from '@idem/testing'
import { Redis } from 'ioredis'
import { Caller } from './caller.js'
import { overheard } from './overheard.js'
import type { Ask, Tell } from './worker-events.js'

// A process of the demo, driven by the main one: it has an idem of its own and shares nothing but Redis.
const { DEMO_UPSTREAM_URL, DEMO_REDIS_URL, DEMO_PREFIX = '', DEMO_LEASE_MS } = process.env

// Ctrl-C goes to all processes of a terminal: the main one ends this one.
process.on('SIGINT', () => {})

const connection = DEMO_REDIS_URL === undefined ? undefined : new Redis(DEMO_REDIS_URL)
// An outage is part of the demo; idem reports what it does about it.
connection?.on('error', () => {})

let server: WorkerServer
const tell: Tell = (event, news) => server.emit(event, news)
const store = connection ? ioredisStore(connection, { prefix: DEMO_PREFIX }) : memoryStore()
const idem = createIdem({
  store: overheard(store, tell),
  leaseMs: Number(DEMO_LEASE_MS),
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
  /** Of this run: its prefix is new, and it may go on over midnight. */
  fleetStats: () => idem.fleetStats({ days: 7 }),
})
