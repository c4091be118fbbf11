import type { Scenario } from '../scenario.js'
import { doubleClick } from './double-click.js'
import { fourProcesses } from './four-processes.js'
import { impatientClient } from './impatient-client.js'
import { lateJoiner } from './late-joiner.js'
import { ownerKilled } from './owner-killed.js'
import { redisUnreachable } from './redis-unreachable.js'
import { tabClosed } from './tab-closed.js'

export const scenarios: readonly Scenario[] = [
  doubleClick,
  impatientClient,
  tabClosed,
  fourProcesses,
  lateJoiner,
  ownerKilled,
  redisUnreachable,
]
