import { inspect } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asAcquireError, asStoreError } from '../src/errors.js'

const SECRET = 'the whole answer'

test('an error of the store never holds what the command was sent with, wherever the client put it', () => {
  const secret = fc.constantFrom(SECRET, [SECRET], Buffer.from(SECRET), { args: [SECRET] })
  const member = fc.constantFrom('command', 'args', 'previousErrors', 'lastNodeError', 'replies', 'data')
  const message = fc.constantFrom(
    'OOM command not allowed',
    `ERR unknown command 'EVALSHA', with args beginning with: '${SECRET}' `,
    `unknown command, with args beginning with: '${SECRET}' '\n'`,
    'ERR syntax error',
    'Connection is closed.',
  )
  const error: fc.Arbitrary<Error> = fc
    .tuple(message, fc.dictionary(member, secret), fc.option(message))
    .map(([text, members, below]) =>
      Object.assign(
        new Error(text, { ...(below && { cause: Object.assign(new Error(below), members) }) }),
        members,
      ),
    )
  fc.assert(
    fc.property(error, (one) => {
      for (const made of [asStoreError(one), asAcquireError(one)]) {
        const shown = inspect(made, { depth: 20, showHidden: true, maxStringLength: null })
        expect(shown).not.toContain(SECRET)
        expect(shown).not.toContain(
          Buffer.from(SECRET)
            .toString('hex', 0, 8)
            .replace(/(..)(?=.)/g, '$1 '),
        )
      }
    }),
  )
})

test('its cause says what the client said: name, message, code and address', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), {
    name: 'ConnectError',
    code: 'ECONNREFUSED',
    errno: -111,
    syscall: 'connect',
    address: '127.0.0.1',
    port: 1,
  })
  expect(asStoreError(refused).cause).toMatchObject({ ...refused, message: refused.message })
})

test('of several attempts to connect each is told', () => {
  const both = new AggregateError([
    new Error('connect ECONNREFUSED ::1:1'),
    new Error('connect ECONNREFUSED 127.0.0.1:1'),
  ])
  expect((asStoreError(both).cause as Error).message).toBe(
    'connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1',
  )
})
