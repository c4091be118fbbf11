import { describe, expect, test } from 'vitest'
import { chatStreams } from '../src/chat/streams.js'
import { bytesOf, chunksOf } from './chat-wire.js'
import { completion, text } from './completions.js'
import { answer, eventsInSdk, parsed, statesOf } from './oracle.js'

const frame = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`
const chunks = chunksOf(completion([text('an "error" {"error":{}}')]), 3)

describe('a chat stream that fails', () => {
  test.each([
    [{ message: 'Slow down.', type: 'requests', code: 'rate_limit_exceeded' }, 429],
    [{ message: 'No more.', type: 'server_error', code: 'insufficient_quota' }, 429],
    [{ message: 'No.', type: 'invalid_request_error', code: null }, 400],
    [{ message: 'Oh.', type: 'server_error', code: null }, 500],
    [{ message: 'Oh.', type: 'constructor', code: null }, 500],
    ['Oh.', 500],
  ])('folds to the error it ends with: %j', (error, status) => {
    const stream = frame(chunks[0]) + frame({ error })
    const folded = chatStreams.fold(answer(stream))
    expect(folded.status).toBe(status)
    expect(parsed(folded)).toStrictEqual({ error })
    const { failed, ...states } = statesOf(chatStreams, Buffer.from(stream), 3)
    expect(failed).toBeGreaterThan(stream.length - 2)
    expect(states).toStrictEqual({ running: 0 })
  })

  test.each([
    ['text about errors', frame(chunks[1])],
    ['an error that is null', frame({ ...chunks[0], error: null })],
    ['what is no JSON', 'data: {"error"\n\n'],
    ['a list', frame([{ error: 1 }])],
  ])('is not one that has %s', (_, middle) => {
    const stream = Buffer.from(middle + bytesOf(chunks))
    expect(Object.keys(statesOf(chatStreams, stream, 5))).toEqual(['running', 'whole'])
  })

  test('stays what it was, whatever comes after its end', () => {
    const inspector = chatStreams.inspect()
    inspector.push(Buffer.from('data: [DONE]\n\n'))
    inspector.push(Buffer.from(frame({ error: { message: 'late' } })))
    expect(inspector.state).toBe('whole')
  })

  test.each([
    ['of idem', JSON.stringify({ error: { message: 'No.', code: 'IDEM_CLOSED' } }), { code: 'IDEM_CLOSED' }],
    [
      'of a gateway',
      '<html>\n502</html>',
      { error: { message: '<html>\n502</html>' }, type: 'server_error' },
    ],
    ['of nothing', '', { type: 'server_error' }],
  ])('with an error %s is thrown by the SDK', async (_, body, error) => {
    const event = chatStreams.errorEvent(Buffer.from(body))
    const { events, thrown } = await eventsInSdk(bytesOf(chunks).subarray(0, -14) + chatStreams.ping + event)
    expect(events).toHaveLength(chunks.length)
    expect(thrown).toMatchObject(error)
    expect(statesOf(chatStreams, Buffer.from(event), 9)).toHaveProperty('failed')
  })
})
