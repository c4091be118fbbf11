import type { ConformanceTest } from '../kit.js'
import { acquire } from './acquire.js'
import { complete } from './complete.js'
import { endings } from './endings.js'
import { expiry } from './expiry.js'
import { ownership } from './ownership.js'
import { takeover } from './takeover.js'
import { values } from './values.js'
import { wake } from './wake.js'

/** Everything a store must do. No two tests have the same name. */
export const conformanceTests: readonly ConformanceTest[] = [
  ...acquire,
  ...ownership,
  ...takeover,
  ...complete,
  ...endings,
  ...expiry,
  ...wake,
  ...values,
]
