import { readEvents } from '@idem/core/dialect'
import { type Mutation, mutated } from '@idem/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { responsesStreams } from '../src/responses/streams.js'
import { answer, bothWays, eventsInSdk, parsed, responseInSdk, statesOf } from './oracle.js'
import { examples, type Item, message, response, text } from './responses.js'

type Event = Record<string, unknown> & { type: string }

const { fold, expand } = bothWays(responsesStreams)
const eventsOf = (stream: Uint8Array): Event[] => readEvents(stream).map(({ data }) => JSON.parse(data))
const written = (events: readonly Event[], newline = '\n') =>
  Buffer.from(
    events
      .map((event) => `event: ${event.type}${newline}data: ${JSON.stringify(event)}${newline}${newline}`)
      .join(''),
  )

test('the examples are thirty at least, each of its own name', () => {
  expect(examples.length).toBeGreaterThanOrEqual(30)
  expect(new Set(examples.map(({ name }) => name)).size).toBe(examples.length)
})

describe('a response', () => {
  test.each(examples)(
    'expands to a stream in which the SDK reads it, and folds back, no member more or less: $name',
    async ({ response }) => {
      const stream = expand(response)
      expect(fold(stream)).toStrictEqual(response)
      expect(await responseInSdk(stream)).toStrictEqual(response)
    },
  )

  test.each(examples)('is built up by the events before the last as well: $name', async ({ response }) => {
    const events = eventsOf(expand(response)).slice(0, -1)
    const built = (await responseInSdk(written(events))) as typeof response
    expect(built.output).toStrictEqual(response.output)
    expect(built).toMatchObject({ status: 'in_progress', usage: null })
  })

  test.each(examples)('has in its deltas all the text of its items: $name', async ({ response }) => {
    const events = eventsOf(expand(response)).filter(({ type }) => type !== 'response.output_item.done')
    const built = (await responseInSdk(written(events.slice(0, -1)))) as typeof response
    expect(built.output.map(withoutState)).toStrictEqual(response.output.map(withoutState))
    const told = events.filter(({ delta }) => delta !== undefined).map(({ delta }) => delta)
    const done = events.filter(({ type }) => /(?:text|refusal|arguments|input)\.done$/.test(type))
    const texts = done.map(({ text, refusal, arguments: args, input }) => text ?? refusal ?? args ?? input)
    expect(told.join('')).toBe(texts.join(''))
  })

  test.each(examples)('begins each item before its text, and numbers its events: $name', ({ response }) => {
    const events = eventsOf(expand(response))
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index))
    expect(events.slice(0, 2).map(({ type }) => type)).toEqual(['response.created', 'response.in_progress'])
    for (const { item } of events.filter(({ type }) => type === 'response.output_item.added')) {
      const { arguments: text = '', input = '', content = [], summary = [] } = item as Record<string, unknown>
      expect({ text, input, content, summary }).toEqual({ text: '', input: '', content: [], summary: [] })
    }
  })

  test('has the events that the API sends for a text', () => {
    const types = eventsOf(expand(response([message(text('Hi'))]))).map(({ type }) => type)
    expect(types).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
  })

  test.each([
    ['completed', 'response.completed'],
    ['incomplete', 'response.incomplete'],
    ['failed', 'response.failed'],
  ])('that is %s ends its stream with %s', (status, type) => {
    expect(eventsOf(expand(response([], { status }))).at(-1)).toMatchObject({ type, response: { status } })
  })

  test.each(['queued', 'in_progress', 'cancelled', undefined, 'constructor'])(
    'that is %s ends no stream',
    (status) => expect(() => expand(response([], { status }))).toThrow(),
  )

  test.each([{}, { status: 'completed' }, { status: 'completed', output: [1] }])(
    'is not what has another shape: %j',
    (body) => expect(() => expand(body)).toThrow(),
  )

  test('keeps its status and headers both ways', () => {
    const { body, ...rest } = answer(JSON.stringify(examples[0]!.response))
    const expanded = responsesStreams.expand({ ...rest, body })
    expect(expanded).toStrictEqual({ ...rest, body: expanded.body })
    expect(responsesStreams.fold(expanded)).toMatchObject(rest)
  })
})

describe.each(['\n', '\r\n', '\r'])('a stream with lines that end in %j', (newline) => {
  test.each(examples)('is whole when its last event is there, wherever it is cut: $name', ({ response }) => {
    const stream = written(eventsOf(expand(response)), newline)
    for (const piece of [stream.length, 3, 1]) {
      const { running, whole, ...others } = statesOf(responsesStreams, stream, piece)
      expect({ running, ...others }).toStrictEqual({ running: 0 })
      expect(whole).toBeGreaterThan(stream.length - newline.length)
    }
    expect(fold(stream)).toStrictEqual(response)
  })
})

describe('a stream with what is not usual', () => {
  const hello = response([message(text('Hé!'))])
  const events = eventsOf(expand(hello))

  describe.each(['', 'event: message\n', 'event: data\n'])('whose events are all named %j', (named) => {
    const textOf = (some: readonly Event[]) =>
      some.map((event) => `${named}data: ${JSON.stringify(event)}\n\n`).join('')

    test('folds by what their data says', async () => {
      const stream = textOf(events)
      expect(fold(stream)).toStrictEqual(hello)
      expect(await responseInSdk(stream)).toStrictEqual(hello)
      expect(statesOf(responsesStreams, Buffer.from(stream), 7)).toHaveProperty('whole')
    })

    test('is not complete without its last event', () => {
      const inspector = responsesStreams.inspect()
      inspector.push(Buffer.from(textOf(events.slice(0, -1))))
      inspector.end!()
      expect(inspector.state).toBe('running')
    })

    test('fails where their data says so', () => {
      const failed = { type: 'response.failed', response: response([], { status: 'failed' }) }
      expect(statesOf(responsesStreams, Buffer.from(textOf([failed])), 7)).toHaveProperty('failed')
      const error = { type: 'error', message: 'Oh.' }
      expect(statesOf(responsesStreams, Buffer.from(textOf([error])), 7)).toHaveProperty('failed')
    })
  })

  test('folds with events and data of any kind, and a [DONE]', () => {
    const [first, ...rest] = events
    const odd = `event: keepalive\ndata: {\n\n: x\n\nevent: constructor\ndata: 1\n\ndata: []\n\n`
    const stream = `${written([first!])}${odd}${written(rest)}data: [DONE]\n\n`
    expect(fold(stream)).toStrictEqual(hello)
    expect(statesOf(responsesStreams, Buffer.from(stream), 7)).not.toHaveProperty('failed')
  })

  test('without all its items in the last event is not a response', () => {
    const empty = { ...events.at(-1)!, response: { ...hello, output: [] } }
    expect(() => fold(written([...events.slice(0, -1), empty]))).toThrow(TypeError)
  })

  test('that goes on after its last event is not a response', () => {
    expect(() => fold(written([...events, events[2]!]))).toThrow(TypeError)
  })

  test('without its last event is no response', () => {
    expect(() => fold(written(events.slice(0, -1)))).toThrow()
    expect(() => fold('event: response.completed\ndata: {"type":"response.completed"}\n\n')).toThrow()
  })
})

describe('any stream', () => {
  const mutation: fc.Arbitrary<Mutation> = fc.record({
    do: fc.constantFrom('drop', 'repeat', 'swap', 'remove', 'replace', 'add'),
    event: fc.nat(40),
    place: fc.nat(200),
    name: fc.constantFrom('hologram', 'type', 'item', 'output', 'response', 'output_index', 'text', 'status'),
    value: fc.oneof(
      fc.constantFrom<unknown>(null, '', 'message', 0, 1, {}, []),
      fc.jsonValue({ maxDepth: 2 }),
    ),
  })
  const stream = fc
    .tuple(fc.constantFrom(...examples), fc.array(mutation, { maxLength: 3 }))
    .map(([{ response }, mutations]) => {
      const events = eventsOf(expand(response))
      return written([...mutated(events.slice(0, -1), mutations), ...events.slice(-1)])
    })

  test('folds to what the SDK reads in it, if it reads it, or to nothing', async () => {
    let folds = 0
    const property = fc.asyncProperty(stream, async (bytes) => {
      const read = await responseInSdk(bytes).catch(() => undefined)
      let folded: unknown
      try {
        folded = fold(bytes)
      } catch {
        return
      }
      // The SDK throws if an event before the last one is odd. The last one has the whole response nevertheless.
      if (!read) return
      folds++
      expect(folded).toStrictEqual(read)
    })
    await fc.assert(property, { numRuns: 600 })
    expect(folds).toBeGreaterThan(100)
  }, 60_000)
})

describe('a stream that fails', () => {
  test('with its response folds to it', () => {
    const failed = response([], { status: 'failed', error: { code: 'server_error', message: 'Oh.' } })
    expect(fold(expand(failed))).toStrictEqual(failed)
    expect(statesOf(responsesStreams, expand(failed), 5)).toHaveProperty('failed')
  })

  test.each([
    [{ code: 'rate_limit_exceeded', message: 'Slow down.', param: null }, 429],
    [{ error: { type: 'invalid_request_error', code: null, message: 'No.', param: 'input' } }, 400],
    [{ code: 'server_error', message: 'Oh.', param: null }, 500],
    [{ code: 'constructor', message: 'Oh.', param: null }, 500],
  ])('with an error event folds to the error: %j', (members, status) => {
    const event = { type: 'error', sequence_number: 3, ...members }
    const folded = responsesStreams.fold(answer(written([event])))
    expect(folded.status).toBe(status)
    expect(parsed(folded)).toMatchObject({ error: 'error' in members ? members.error : members })
    expect(statesOf(responsesStreams, written([event]), 5)).toHaveProperty('failed')
  })

  test.each([
    ['an event of its own', 'data: {"error":{"message":"Oh."}}\n\n'],
    ['an event with a name', 'event: response.output_text.delta\ndata: {"error":"Oh."}\n\n'],
    ['text', 'event: error\ndata: Oh.\n\n'],
  ])('in %s folds to the error', (_, event) => {
    const folded = responsesStreams.fold(answer(event))
    expect(folded.status).toBe(500)
    expect(JSON.stringify(parsed(folded))).toContain('Oh.')
    expect(statesOf(responsesStreams, Buffer.from(event), 5)).toHaveProperty('failed')
  })

  test('with an error of idem is thrown by the SDK, with its code', async () => {
    const body = JSON.stringify({
      error: { message: 'No.', type: 'x', param: null, code: 'IDEM_WAIT_TIMEOUT' },
    })
    const { events, thrown } = await eventsInSdk(responsesStreams.errorEvent(Buffer.from(body)))
    expect(events).toEqual([])
    expect(thrown).toMatchObject({ code: 'IDEM_WAIT_TIMEOUT', type: 'x' })
  })
})

/** Reasoning has no list of content until it has content. */
function withoutState({ status, ...item }: Item): unknown {
  const { content, ...rest } = item
  return item.type === 'reasoning' && Array.isArray(content) && content.length === 0 ? rest : item
}
