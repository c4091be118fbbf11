import type { ConformanceTest } from '../kit.js'
import { acquire } from './acquire.js'
import { close } from './close.js'
import { complete } from './complete.js'
import { concurrency } from './concurrency.js'
import { endings } from './endings.js'
import { expiry } from './expiry.js'
import { faults } from './faults.js'
import { fingerprint } from './fingerprint.js'
import { keys } from './keys.js'
import { live } from './live.js'
import { liveHints } from './live-hints.js'
import { ownership } from './ownership.js'
import { read } from './read.js'
import { reconnect } from './reconnect.js'
import { replace } from './replace.js'
import { reportLives } from './report-lives.js'
import { reports } from './reports.js'
import { takeover } from './takeover.js'
import { values } from './values.js'
import { voids } from './void.js'
import { wake } from './wake.js'

/** Everything a store must do. No two tests have the same name. */
export const conformanceTests: readonly ConformanceTest[] = [
  ...acquire,
  ...ownership,
  ...takeover,
  ...complete,
  ...fingerprint,
  ...read,
  ...replace,
  ...voids,
  ...endings,
  ...expiry,
  ...wake,
  ...live,
  ...liveHints,
  ...reports,
  ...reportLives,
  ...values,
  ...keys,
  ...close,
  ...reconnect,
  ...concurrency,
  ...faults,
]
