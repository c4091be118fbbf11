import { acquire } from './acquire.js'
import type { Broken } from './broken.js'
import { complete } from './complete.js'
import { endings } from './endings.js'
import { expiry } from './expiry.js'
import { ownership } from './ownership.js'
import { replacing } from './replacing.js'
import { takeover } from './takeover.js'
import { values } from './values.js'
import { wake } from './wake.js'

/** One store a mistake, in the order of the areas. */
export const brokenStores: readonly Broken[] = [
  ...acquire,
  ...replacing,
  ...ownership,
  ...takeover,
  ...complete,
  ...endings,
  ...expiry,
  ...wake,
  ...values,
]
