// Run by node-test.test.ts as `node --test`, from the built package, as a contributor would.

import { describe, test } from 'node:test'
import { storeConformance } from '@idem/conformance'
import { memoryStore } from '@idem/core'

const store = memoryStore()
const polled = { ...bound(memoryStore()), watch: undefined }

// Keys are random, so the tests may run at once.
const runner = { describe: (name, body) => describe(name, { concurrency: true }, body), test }

storeConformance({ name: 'memoryStore', open: () => ({ store }), runner })
storeConformance({ name: 'memoryStore, polled', open: () => ({ store: polled }), runner })

function bound(store) {
  const methods = ['acquire', 'renew', 'complete', 'release', 'end', 'ending', 'ready', 'close']
  return Object.fromEntries(methods.map((name) => [name, store[name].bind(store)]))
}
