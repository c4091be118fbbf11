import type { Live } from './engine.js'
import type { Presence } from './presence.js'

/** Those a trip through the loop is made for. */
export interface Callers {
  /** Rejects unless somebody still waits: no call is begun for nobody. */
  assertAny(): void
  /** Waits for the next look; rejects as soon as nobody is left. */
  wait(next: (signal: AbortSignal) => Promise<void>): Promise<void>
  /** An answer has begun: those who want it as it comes may have it. */
  begin(live: Live): void
  /** Takes no more callers: who comes now takes another flight. */
  shut(): void
  readonly presence: Presence
}
