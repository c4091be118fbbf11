import { describe, expect, test } from 'vitest'
import { __camel__Store } from '../src/index.js'

describe('a client that cannot be used is refused at once, with what to do instead', () => {
  test.each([[undefined], [null], [{}], ['redis://127.0.0.1']])('%j', (client) => {
    expect(() => __camel__Store(client as never)).toThrow(
      expect.objectContaining({ code: 'IDEM_INVALID_ARGUMENT' }),
    )
  })
  // WRITE: a closed client, and whatever else assertUsable refuses.
})
