import { IdemError } from './idem-error.js'

/**
 * An execution of this key began, and its result cannot be had: its process was lost, it ran over its time, or its
 * result is none that can be stored. What it does to the world may have happened or not, so it is not done again. Find
 * out, then `idem.forget(key)` to have it done, or use a new key.
 */
export class UncertainError extends IdemError {
  readonly code = 'IDEM_UNCERTAIN'
  readonly status = 409

  constructor() {
    super(
      'An execution of this key began, and its result cannot be had. Find out whether it took effect; ' +
        'to run it again, call idem.forget(key) first.',
    )
  }
}
