import { breaking } from './breaking.js'
import { lockStores } from './broken/index.js'

breaking(lockStores)
