import { acquire } from './acquire.js'
import type { Broken } from './broken.js'
import { close } from './close.js'
import { complete } from './complete.js'
import { concurrency } from './concurrency.js'
import { endings } from './endings.js'
import { expiry } from './expiry.js'
import { faults } from './faults.js'
import { fingerprint } from './fingerprint.js'
import { keys } from './keys.js'
import { live } from './live.js'
import { ownership } from './ownership.js'
import { read } from './read.js'
import { replace } from './replace.js'
import { replacing } from './replacing.js'
import { reportProcesses } from './report-processes.js'
import { reports } from './reports.js'
import { takeover } from './takeover.js'
import { values } from './values.js'
import { voids } from './void.js'
import { wake } from './wake.js'

/** Mistakes with locks. */
export const lockStores: readonly Broken[] = [
  ...acquire,
  ...replacing,
  ...ownership,
  ...takeover,
  ...fingerprint,
  ...read,
  ...voids,
]

/** Mistakes with what is kept. */
export const recordStores: readonly Broken[] = [
  ...complete,
  ...replace,
  ...endings,
  ...expiry,
  ...values,
  ...keys,
]

/** Mistakes with hints, logs and boards. */
export const signalStores: readonly Broken[] = [...wake, ...live, ...reports]

/** Mistakes that show with several handles, processes, or faults. */
export const handleStores: readonly Broken[] = [...close, ...concurrency, ...reportProcesses, ...faults]

/** One store a mistake. */
export const brokenStores: readonly Broken[] = [
  ...lockStores,
  ...recordStores,
  ...signalStores,
  ...handleStores,
]
