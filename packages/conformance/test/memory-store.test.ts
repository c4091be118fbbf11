import { memoryStore } from '@idem/core'
import { describe, test } from 'vitest'
import { storeConformance } from '../src/index.js'

const store = memoryStore()

storeConformance({
  name: 'memoryStore',
  open: () => ({ store }),
  openAlone: () => ({ store: memoryStore() }),
  runner: { describe: describe.concurrent, test },
})
