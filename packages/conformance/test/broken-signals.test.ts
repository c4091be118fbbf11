import { breaking } from './breaking.js'
import { signalStores } from './broken/index.js'

breaking(signalStores)
