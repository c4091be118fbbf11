import { cuts } from '../../../test/adapters/cuts.js'
import { connected } from './connected.js'

cuts((url) => connected({ url }))
