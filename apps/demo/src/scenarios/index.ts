import type { Scenario } from '../scenario.js'
import { doubleClick } from './double-click.js'
import { fourProcesses } from './four-processes.js'
import { impatientClient } from './impatient-client.js'
import { ownerKilled } from './owner-killed.js'
import { redisUnreachable } from './redis-unreachable.js'

export const scenarios: readonly Scenario[] = [
  doubleClick,
  impatientClient,
  fourProcesses,
  ownerKilled,
  redisUnreachable,
]
