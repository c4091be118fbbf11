import { describe, expect, test } from 'vitest'
import { asAcquireError, asStoreError, refusesWrites, replyCode } from '../src/errors.js'

describe('an error of Redis', () => {
  test.each([
    ['OOM command not allowed when used memory > maxmemory.', 'OOM'],
    ['NOSCRIPT No matching script. Please use EVAL.', 'NOSCRIPT'],
    ['-ERR syntax error', 'ERR'],
    ['Connection is closed.', undefined],
    ['read ECONNRESET', undefined],
    ["Stream isn't writeable and enableOfflineQueue options is false", undefined],
  ])('%s has the code %s', (message, code) => {
    expect(replyCode(new Error(message))).toBe(code)
  })

  test('that is a reply has done nothing; of one of the connection nobody knows', () => {
    expect(asStoreError(new Error('READONLY You can’t write against a read only replica.')).effect).toBe(
      'none',
    )
    expect(asStoreError(new Error('Connection is closed.')).effect).toBe('unknown')
  })

  test.each(['OOM', 'READONLY', 'MISCONF', 'NOREPLICAS'])('%s refuses writes: reading goes on', (code) => {
    expect(refusesWrites(new Error(`${code} something`))).toBe(true)
  })

  test('at acquire, a syntax error means a server older than 7.0, any other is a store error', () => {
    expect(asAcquireError(new Error('ERR syntax error'))).toMatchObject({ code: 'IDEM_UNSUPPORTED_SERVER' })
    expect(asAcquireError(new Error('ERR unknown command'))).toMatchObject({ code: 'IDEM_STORE_ERROR' })
  })
})
