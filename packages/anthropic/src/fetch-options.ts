import type { CallOptions } from '@idem/core'

// The SDK's `fetchOptions` are typed by the platform's RequestInit: this is the only place where `idem` can be added.
declare global {
  interface RequestInit {
    /** What idem is to do with this call, where `fetch` is `idem.fetch`. Any other fetch ignores it. Never sent. */
    readonly idem?: CallOptions
  }
}
