import { breaking } from './breaking.js'
import { recordStores } from './broken/index.js'

breaking(recordStores, { heavyToo: true })
