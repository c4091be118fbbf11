import type { Live } from './engine.js'
import type { Presence } from './presence.js'

/** The callers that a trip through the loop is made for. */
export interface Callers {
  /** Throws unless a caller still waits: never start a call without a waiting caller. */
  assertAny(): void
  /** Waits for the next look; rejects as soon as nobody is left. */
  wait(next: (signal: AbortSignal) => Promise<void>): Promise<void>
  /** An answer has begun: callers may read it as it comes. */
  begin(live: Live): void
  /** Takes no more callers: later ones start another flight. */
  shut(): void
  readonly presence: Presence
}
