import type { Scenario } from '../scenario.js'
import { doubleClick } from './double-click.js'
import { droppedStream } from './dropped-stream.js'
import { fourProcesses } from './four-processes.js'
import { impatientClient } from './impatient-client.js'
import { lateJoiner } from './late-joiner.js'
import { overloadedModel } from './overloaded-model.js'
import { ownerKilled } from './owner-killed.js'
import { ownerPaused } from './owner-paused.js'
import { redisStopped } from './redis-stopped.js'
import { slowModel } from './slow-model.js'
import { tabClosed } from './tab-closed.js'

/** How duplicates are shared, and what each way to break it does. */
export const scenarios: readonly Scenario[] = [
  doubleClick,
  fourProcesses,
  lateJoiner,
  tabClosed,
  ownerKilled,
  ownerPaused,
  redisStopped,
  slowModel,
  overloadedModel,
  droppedStream,
  impatientClient,
]
