import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { messagesStreams as streams } from '../src/streams.js'
import { type Message, message } from './messages.js'
import { answer, fold, foldAsTheSdk, parsed, statesOf, thrownBySdk } from './oracle.js'
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
  ])('folds to its message, an event %s passed over as the SDK does', async (_, frames) => {
    expect(await foldAsTheSdk(withFrames(frames))).toStrictEqual(hello)
    expect(statesOf(withFrames(frames), 1)).toHaveProperty('whole', withFrames(frames).length)
  })

  test('folds to its message, whatever the data of an unknown name', () => {
    expect(fold(withFrames('event: data\ndata: [DONE]\n\n'))).toStrictEqual(hello)
  })

  const delta = (change: object) =>
    frame('content_block_delta', { type: 'content_block_delta', index: 0, ...change })
  const text = { type: 'text_delta', text: 'x' }
  const begin = (index: unknown, content_block: object = { type: 'text', text: '' }) =>
    frame('content_block_start', { type: 'content_block_start', index, content_block })
  const stop = (index: unknown) => frame('content_block_stop', { type: 'content_block_stop', index })
  const end = (change: object, delta: object = { stop_reason: 'end_turn', stop_sequence: null }) =>
    frame('message_delta', { type: 'message_delta', delta, usage: { output_tokens: 5 }, ...change })

  test.each<[string, string]>([
    ['a delta of a type not known yet', delta({ delta: { type: 'hologram_delta', text: 'x' } })],
    ['a delta without a type', delta({ delta: { text: 'x' } })],
    ['a delta with a member not known yet', delta({ delta: { ...text, width: 3 } })],
    ['a delta of another type of block', delta({ delta: { type: 'thinking_delta', thinking: 'x' } })],
    ['a delta of a tool in a text', delta({ delta: { type: 'input_json_delta', partial_json: '{}' } })],
    ['a delta that is not text', delta({ delta: { type: 'text_delta', text: 1 } })],
    ['a delta without its text', delta({ delta: { type: 'text_delta' } })],
    ['a delta of nothing', delta({})],
    ['a delta without an index', delta({ index: undefined, delta: text })],
    ['a delta with an index that is text', delta({ index: '0', delta: text })],
    ['a delta of half an index', delta({ index: 0.5, delta: text })],
    ['a delta of an index from the end', delta({ index: -1, delta: text })],
    ['a delta of a block that never began', delta({ index: 7, delta: text })],
    ['a delta of a block that is over', stop(0) + delta({ delta: text })],
    ['a block that ends twice', stop(0) + stop(0)],
    ['an end of a block that never began', stop(1)],
    ['two blocks of one index', begin(0)],
    ['a block that is not the next', begin(2)],
    ['a block without an index', begin(undefined)],
    [
      'a block of a type not known yet, with a delta',
      begin(1, { type: 'hologram', text: '' }) + delta({ index: 1, delta: text }),
    ],
    ['a fallback to nothing', begin(1, { type: 'fallback' })],
    ['two beginnings', bytesOf(events.slice(0, 1)).toString()],
    ['an event without its type', 'event: content_block_stop\ndata: {"index":0}\n\n'],
    ['an end with a member not known yet', end({ hologram: 1 })],
    ['an end whose delta has a member not known yet', end({}, { stop_reason: 'end_turn', hologram: 1 })],
    ['an end with a count that is not a number', end({ usage: { output_tokens: 5, joules: { gpu: 1 } } })],
    ['an end without counts', end({ usage: undefined })],
    ['an end without the count of its tokens', end({ usage: { input_tokens: 5 } })],
    ['an end, and another that says nothing of it', end({}) + end({}, {})],
  ])('does not fold with %s: it would be guessed', (_, frames) => {
    expect(() => fold(withFrames(frames))).toThrow()
    // It is delivered nevertheless.
    expect(statesOf(withFrames(frames), 7)).toHaveProperty('whole')
  })

  test('does not fold where it goes on after its end', () => {
    expect(() => fold(Buffer.concat([bytesOf(events), bytesOf(events)]))).toThrow(TypeError)
    expect(() => fold(bytesOf(events) + delta({ delta: text }))).toThrow(TypeError)
    expect(fold(bytesOf(events) + streams.ping)).toStrictEqual(hello)
  })

  test.each<[string, object, string]>([
    ['there is an input already', { type: 'tool_use', id: 't', name: 'n', input: { a: 1 } }, '{"b":2}'],
    ['there is no input to be', { type: 'tool_use', id: 't', name: 'n' }, '{}'],
    ['the input is a list', { type: 'tool_use', id: 't', name: 'n', input: {} }, '[1]'],
    ['the input is a number', { type: 'tool_use', id: 't', name: 'n', input: {} }, '1'],
    ['the input is two', { type: 'tool_use', id: 't', name: 'n', input: {} }, '{"a":1}{"b":2}'],
    ['the input is not JSON', { type: 'tool_use', id: 't', name: 'n', input: {} }, '{"a":True'],
    ['the input has a comma too many', { type: 'tool_use', id: 't', name: 'n', input: {} }, '{"a":1,,'],
    ['the input has a bracket too many', { type: 'tool_use', id: 't', name: 'n', input: {} }, '{"a":[1}'],
    [
      'the input names a prototype',
      { type: 'tool_use', id: 't', name: 'n', input: {} },
      '{"__proto__":{"a":1',
    ],
  ])('does not fold a tool call, whatever it stopped for, where %s', (_, block, partial_json) => {
    for (const stop_reason of ['tool_use', 'max_tokens', 'end_turn']) {
      const [first, , ...last] = eventsOf(message([], { stop_reason }), 1)
      const stream =
        bytesOf([first!]) +
        begin(0, block) +
        delta({ delta: { type: 'input_json_delta', partial_json } }) +
        stop(0) +
        bytesOf(last)
      expect(() => fold(stream)).toThrow()
    }
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

  test('takes the last of several counts, whatever they count', () => {
    const ends = [1, 2].map((count) =>
      frame('message_delta', {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null, stop_details: null },
        usage: { output_tokens: count, total_tokens: count, service_tier: 'batch', joules: null },
      }),
    )
    const folded = fold(bytesOf([start!]) + ends.join('') + bytesOf(events.slice(-1))) as Message
    const { usage } = start!.message as Message
    expect(folded.usage).toStrictEqual({
      ...usage,
      output_tokens: 2,
      total_tokens: 2,
      service_tier: 'batch',
    })
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
    ['constructor', 500],
    [undefined, 500],
  ])('folds to it as an answer of its own: %s, %i', (type, status) => {
    for (const writing of writings) {
      const folded = streams.fold(answer(failing(errorOf(type), writing)))
      expect(folded).toMatchObject({ status, headers: [['request-id', 'req_01']] })
      expect(parsed(folded)).toStrictEqual(JSON.parse(JSON.stringify(errorOf(type))))
    }
  })

  test.each<[string, string, string, number]>([
    ['is flat', '{"type":"error","message":"Slow down."}', 'api_error', 500],
    ['is flat, of a type', '{"type":"overloaded_error","message":"Slow down."}', 'overloaded_error', 529],
    ['has only a message', '{"message":"Slow down."}', 'api_error', 500],
    ['has it as text', '{"type":"error","error":"Slow down."}', 'api_error', 500],
    ['is text', '"Slow down."', 'api_error', 500],
    ['is no JSON', 'Slow down.', 'api_error', 500],
  ])('folds to it in the shape of the API where it %s, first or in the middle', (_, data, type, status) => {
    for (const begin of ['', bytesOf(events.slice(0, 5)).toString()]) {
      const stream = `${begin}event: error\ndata: ${data}\n\n`
      const folded = streams.fold(answer(stream))
      expect(folded.status).toBe(status)
      expect(parsed(folded)).toMatchObject({ type: 'error', error: { type, message: 'Slow down.' } })
      expect(statesOf(Buffer.from(stream), 1)).toHaveProperty('failed')
    }
  })

  test('folds to the error of a relay that gives events no names', () => {
    const stream = [...events.slice(0, 5), errorOf('overloaded_error')]
      .map((event) => `data: ${JSON.stringify(event)}\n\n`)
      .join('')
    expect(streams.fold(answer(stream))).toMatchObject({ status: 529 })
    expect(statesOf(Buffer.from(stream), 1)).toHaveProperty('failed')
  })

  test('folds to the error, whatever came before it', () => {
    const odd = withFrames('event: content_block_delta\ndata: {}\n\n') + frame('error', errorOf('api_error'))
    expect(streams.fold(answer(odd))).toMatchObject({ status: 500 })
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

  test('folds by its data when no event has a name, as some relays send it', () => {
    const unnamed = bytesOf(events)
      .toString()
      .replaceAll(/^event: .*\n/gm, '')
    expect(fold(unnamed)).toStrictEqual(hello)
    expect(fold(streams.ping + unnamed.replaceAll('\n\n', `\n\n${streams.ping}`))).toStrictEqual(hello)
    expect(statesOf(Buffer.from(unnamed), 1)).toHaveProperty('whole')
    expect(() => fold(unnamed.replace('"message_stop"', '"hologram"'))).toThrow(TypeError)
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
