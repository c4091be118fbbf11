import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { messagesStreams as streams } from '../src/streams.js'
import { type Message, message } from './messages.js'
import { answer, fold, foldAsTheSdk, parsed, sdk, statesOf, thrownBySdk } from './oracle.js'
import { bytesOf, eventsOf, frame, type Writing, writings } from './wire.js'

const hello = message([{ type: 'text', text: 'Hé!', citations: null }])
const events = eventsOf(hello, 1)
const [start, ping, blockStart, ...rest] = events

/** The stream of `hello` with these frames after the beginning of its block. */
function withFrames(...frames: string[]): Buffer {
  const [before, after] = [[start!, ping!, blockStart!], rest].map((part) => bytesOf(part).toString())
  return Buffer.from(before + frames.join('') + after)
}

const deltaFrame = (delta: object, index = 0) =>
  frame('content_block_delta', { type: 'content_block_delta', index, delta })

describe('a stream with what is not known yet', () => {
  test.each([
    ['of an unknown name', frame('hologram', { type: 'hologram', width: 3 })],
    ['of an unknown name without data', 'event: hologram\ndata:\n\n'],
    ['without a name', deltaFrame({ type: 'text_delta', text: 'x' }).replace(/^event: .*\n/, '')],
    ['without a name, of no JSON', 'data: [DONE]\n\n'],
    ['of nothing', 'event: message_stop\n\n'],
    ['that is a comment', ': keep-alive\n\n:\n'],
    ['with an id and a time to retry', `id: 7\nretry: 10\n${frame('ping', { type: 'ping' })}`],
    ['of a block that never began', deltaFrame({ type: 'text_delta', text: 'x' }, 7)],
  ])('folds to its message, an event %s passed over as the SDK does', async (_, frames) => {
    expect(await foldAsTheSdk(withFrames(frames))).toStrictEqual(hello)
    expect(statesOf(withFrames(frames), 1)).toHaveProperty('whole', withFrames(frames).length)
  })

  test('folds to its message, whatever the data of an unknown name', () => {
    expect(fold(withFrames('event: data\ndata: [DONE]\n\n'))).toStrictEqual(hello)
  })

  test('keeps what an unknown delta brings on its block, strings appended', () => {
    const deltas = [
      { type: 'text_delta', text: 'x' },
      { type: 'hologram_delta', text: 'y', width: 3, mood: 'g', list: [1] },
      { type: 'hologram_delta', width: 4, mood: 'ay', list: [2] },
    ]
    const { content } = fold(withFrames(...deltas.map((delta) => deltaFrame(delta)))) as Message
    const block = { type: 'text', text: 'xyHé!', citations: null, width: 4, mood: 'gay', list: [2] }
    expect(content).toStrictEqual([block])
  })

  test('joins the halves of a character that came in two deltas', async () => {
    const halves = ['\ud83d', '\ude00'].map((text) => deltaFrame({ type: 'text_delta', text }))
    const { content } = (await foldAsTheSdk(withFrames(...halves))) as Message
    expect(content[0]!.text).toBe('😀Hé!')
  })

  test('takes the last of several counts, and nothing away for a null', async () => {
    const container = { id: 'container_01', expires_at: '2026-11-01T00:00:00Z', skills: null }
    const delta = { stop_reason: null, stop_sequence: null, stop_details: null }
    const ends = [
      { delta: { ...delta, container }, usage: { input_tokens: 9, output_tokens: 5 } },
      { delta: { ...delta, container: null }, usage: { input_tokens: null, output_tokens: 6 } },
    ].map((end) => frame('message_delta', { type: 'message_delta', ...end }))
    const folded = await foldAsTheSdk(bytesOf([start!]) + ends.join('') + bytesOf(events.slice(-1)))
    expect(folded).toMatchObject({ container, usage: { input_tokens: 9, output_tokens: 6 } })
  })

  test('takes the last of several signatures', async () => {
    const block = { type: 'thinking', thinking: 'Hm', signature: 'first' }
    const [begin, pinged, ...others] = eventsOf(message([block]), 9)
    const signed = deltaFrame({ type: 'signature_delta', signature: 'last' })
    const [before, after] = [[begin!, pinged!, ...others.slice(0, 3)], others.slice(3)].map((part) =>
      bytesOf(part),
    )
    const { content } = (await foldAsTheSdk(before + signed + after)) as Message
    expect(content).toStrictEqual([{ ...block, signature: 'last' }])
  })

  test('is not changed by pings of ours', async () => {
    const frames = events.map((event) => frame(event.type, event))
    expect(await foldAsTheSdk(streams.ping + frames.join(streams.ping))).toStrictEqual(hello)
  })
})

describe('a stream that ends in an error', () => {
  const failing = (error: unknown, writing?: Writing) =>
    Buffer.from(bytesOf(events.slice(0, 5), writing) + frame('error', error, writing))
  const errorOf = (type?: string) => ({
    type: 'error',
    error: { type, message: 'Größe "x"' },
    request_id: 'req_01',
  })

  test.each([
    ['overloaded_error', 529],
    ['rate_limit_error', 429],
    ['invalid_request_error', 400],
    ['authentication_error', 401],
    ['permission_error', 403],
    ['not_found_error', 404],
    ['request_too_large', 413],
    ['timeout_error', 504],
    ['api_error', 500],
    ['hologram_error', 500],
    [undefined, 500],
  ])('folds to it as an answer of its own: %s, %i', (type, status) => {
    for (const writing of writings) {
      const folded = streams.fold(answer(failing(errorOf(type), writing)))
      expect(folded).toMatchObject({ status, headers: [['request-id', 'req_01']] })
      expect(parsed(folded)).toStrictEqual(JSON.parse(JSON.stringify(errorOf(type))))
    }
  })

  test('has failed when the error is there, and is never whole', () => {
    const stream = failing(errorOf('api_error'))
    const more = Buffer.concat([stream, bytesOf(events)])
    for (const size of [stream.length, 3, 1]) {
      expect(statesOf(stream, size)).toStrictEqual({ running: 0, failed: stream.length })
      expect(Object.keys(statesOf(more, size))).toStrictEqual(['running', 'failed'])
    }
  })

  test('made of an error answer tells the SDK what the answer said, be it on many lines', async () => {
    const error = errorOf('rate_limit_error')
    for (const newline of ['', '\n', '\r\n', '\r']) {
      const body = JSON.stringify(error, null, 1).replaceAll('\n', newline)
      const stream = bytesOf(events.slice(0, 5)) + streams.errorEvent(Buffer.from(body))
      expect(fold(stream)).toStrictEqual(error)
      expect(await thrownBySdk(stream)).toMatchObject({ type: 'rate_limit_error', error })
    }
  })
})

describe('a stream that is not whole', () => {
  test('does not fold, wherever it was cut', () => {
    const stream = bytesOf(events)
    for (let length = 0; length < stream.length; length++) {
      expect(() => fold(stream.subarray(0, length))).toThrow(TypeError)
      expect(statesOf(stream.subarray(0, length), 64)).toStrictEqual({ running: 0 })
    }
  })

  test('does not fold when its events have no names, in which the SDK sees none', async () => {
    const unnamed = bytesOf(events)
      .toString()
      .replaceAll(/^event: .*\n/gm, '')
    expect(() => fold(unnamed)).toThrow(TypeError)
    expect(statesOf(Buffer.from(unnamed), 1)).toStrictEqual({ running: 0 })
    await expect(sdk(unnamed)).rejects.toThrow()
  })

  test.each([
    ['a stream without its beginning', bytesOf(events.slice(1)).toString()],
    ['a message', JSON.stringify(hello)],
    ['a page', '<html></html>'],
  ])('does not fold: %s', (_, body) => {
    expect(() => fold(body)).toThrow()
  })

  test.each(['{', '[]', 'null', '""', '', '{}', '{"content_block": 1}', '{"content_block": null}'])(
    'does not fold when a block begins with %j',
    (data) => {
      const stream = bytesOf(events).toString()
      expect(() => fold(stream.replace(/(event: content_block_start\ndata: ).*/, `$1${data}`))).toThrow()
    },
  )

  test('is followed without throwing, whatever its bytes are', () => {
    const pieces = fc.array(
      fc.oneof(fc.uint8Array(), fc.constant(bytesOf(events)), fc.constant(Buffer.from('data:'))),
    )
    const property = fc.property(pieces, (pieces) => {
      const inspector = streams.inspect()
      for (const piece of pieces) inspector.push(piece)
    })
    fc.assert(property)
  })
})

describe('a body that is not a message', () => {
  const { usage, content, type, ...others } = hello
  test.each(
    Object.entries({
      'an error': { type: 'error', error: { type: 'api_error', message: 'x' } },
      'a count of tokens': { input_tokens: 14 },
      'no type': { ...others, usage, content },
      'no usage': { ...others, type, content },
      'usage of null': { ...others, type, content, usage: null },
      'no content': { ...others, type, usage },
      'content that is text': { ...others, type, usage, content: 'text' },
      'blocks that are text': { ...others, type, usage, content: ['text'] },
      'blocks that are null': { ...others, type, usage, content: [null] },
      'a list': [hello],
      'an empty object': {},
      null: null,
      text: 'message',
    }),
  )('does not expand: %s', (_, body) => {
    expect(() => streams.expand(answer(JSON.stringify(body)))).toThrow(TypeError)
  })

  test.each(['', '{', bytesOf(events).toString()])('does not expand: %j', (body) => {
    expect(() => streams.expand(answer(body))).toThrow(SyntaxError)
  })
})

test('a tool input that is broken, not cut, is never made into another one: fold throws', () => {
  const stream = [
    ['message_start', { message: { type: 'message', content: [], usage: {} } }],
    ['content_block_start', { index: 0, content_block: { type: 'tool_use', id: 't', name: 'n', input: {} } }],
    [
      'content_block_delta',
      { index: 0, delta: { type: 'input_json_delta', partial_json: '{"path":"/tmp","all":True}' } },
    ],
    ['message_delta', { delta: { stop_reason: 'tool_use' }, usage: {} }],
    ['message_stop', {}],
  ]
    .map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
    .join('')
  const body = new TextEncoder().encode(stream)
  expect(() => streams.fold({ status: 200, headers: [], body })).toThrow(SyntaxError)
})
