import type { CallOptions } from '@idem/core'

// What the SDK takes as `fetchOptions` is made of the platform's RequestInit, and can be extended nowhere else.
declare global {
  interface RequestInit {
    /** What idem is to do with this call, where `fetch` is `idem.fetch`. Any other fetch ignores it. Never sent. */
    readonly idem?: CallOptions
  }
}
