// Run by node-test.test.ts as `node --test`, from the built package, as a contributor would.

import { describe, test } from 'node:test'
import { storeConformance } from '@idem/conformance'
import { memoryStore } from '@idem/core'

const store = memoryStore()
// What it may lack, it lacks.
const polled = bound(memoryStore())

// Keys are random, so the tests may run at once.
const runner = { describe: (name, body) => describe(name, { concurrency: true }, body), test }

storeConformance({
  name: 'memoryStore',
  open: () => ({ store }),
  openAlone: () => ({ store: memoryStore() }),
  runner,
})
storeConformance({
  name: 'memoryStore, polled',
  open: () => ({ store: polled }),
  openAlone: () => ({ store: bound(memoryStore()) }),
  runner,
})

function bound(store) {
  const methods = [
    'acquire',
    'renew',
    'complete',
    'release',
    'end',
    'ending',
    'read',
    'replace',
    'forget',
    'ready',
    'close',
  ]
  return Object.fromEntries(methods.map((name) => [name, store[name].bind(store)]))
}
