// Run by node-test.test.ts as `node --test`, from the built package, as a contributor would.

import { describe, test } from 'node:test'
import { storeConformance } from '@idem/conformance'
import { memoryStore } from '@idem/core'
import { STORE_METHODS } from '@idem/core/store'

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
  const methods = STORE_METHODS.required.map((name) => [name, store[name].bind(store)])
  return { specVersion: store.specVersion, ...Object.fromEntries(methods) }
}
