import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eventReader, eventText, readEvents, type ServerEvent } from '../src/dialect/server-events.js'

const lineEnds = ['\n', '\r\n', '\r']
const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Reads a stream that arrives in pieces. */
function readPieces(pieces: readonly Uint8Array[]): ServerEvent[] {
  const events: ServerEvent[] = []
  const push = eventReader((event) => events.push(event))
  for (const piece of pieces) push(piece)
  return events
}

/** Cuts bytes at the given places, which may repeat: empty pieces come too. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

describe.each(lineEnds)('an event stream with lines that end in %j', (newline) => {
  const text = (lines: readonly string[]) => lines.map((line) => line + newline).join('')

  test('gives an event with the last byte of its empty line, and waits for none after it', () => {
    const stream = bytesOf(text(['event: message', 'data: whole', '']))
    const events: ServerEvent[] = []
    const push = eventReader((event) => events.push(event))
    for (const [index, byte] of stream.entries()) {
      push(Uint8Array.of(byte))
      // The LF of a CRLF may be that last byte, but nothing waits for it.
      if (index < stream.length - newline.length) expect(events).toEqual([])
    }
    expect(events).toEqual([{ name: 'message', data: 'whole' }])
  })
})

test('any events arrive as they were sent, with any line ends, comments and ids between them, and cut anywhere', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => text.replaceAll(/[\r\n]/g, ''))
  const event = fc.record({ name: line, data: fc.array(line, { minLength: 1, maxLength: 3 }) })
  const other = fc.constantFrom(':', ': ping', 'id: 7', 'retry: 10', 'unknown: field')
  const part = fc.record({ event, before: fc.array(other, { maxLength: 2 }) })
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 5 }),
      fc.infiniteStream(fc.constantFrom(...lineEnds)),
      fc.array(fc.nat(), { maxLength: 10 }),
      (parts, ends, places) => {
        const plain = parts
          .map(
            ({ event, before }) =>
              before.join('\n') + (before.length ? '\n' : '') + eventText(event.name, event.data.join('\n')),
          )
          .join('')
        let last = { at: -2, end: '' }
        const withEnds = plain.replaceAll('\n', (_, at: number) => {
          // A CR and the LF of the empty line after it would be one end.
          const isOne = last.at === at - 1 && last.end === '\r'
          last = { at, end: isOne ? '\r' : ends.next().value! }
          return last.end
        })
        const bytes = bytesOf(withEnds)
        const sent = parts.map(({ event }) => ({ name: event.name, data: event.data.join('\n') }))
        expect(readPieces(cut(bytes, places))).toEqual(sent)
        expect(readEvents(bytes)).toEqual(sent)
      },
    ),
    { numRuns: 500 },
  )
})
