import { breaking } from './breaking.js'
import { handleStores } from './broken/index.js'

breaking(handleStores)
