import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Ending, sealAnswer, sealEnding, unsealAnswer, unsealEnding } from '../src/answer/record.js'

const bytes = fc.uint8Array({ maxLength: 2_000 })
const facts = fc.dictionary(fc.string(), fc.jsonValue()).map((object) => JSON.parse(JSON.stringify(object)))
const answers = fc.record({ kind: fc.string(), facts, body: bytes })
const same = (body: Uint8Array) => Buffer.from(body).toString('hex')

describe('a record', () => {
  test('gives back the exact bytes and facts it was made of', () => {
    fc.assert(
      fc.property(answers, fc.integer({ min: 1, max: 2 ** 31 - 1 }), (answer, ttlMs) => {
        const unsealed = unsealAnswer(sealAnswer(answer, ttlMs))
        if (unsealed.state !== 'sealed') throw new Error(unsealed.state)
        const { body, ...head } = unsealed.answer
        expect(head).toEqual({ kind: answer.kind, facts: answer.facts, ttlMs })
        expect(same(body)).toBe(same(answer.body))
      }),
    )
  })

  test('that was cut or grew anywhere is corrupt, never an answer', () => {
    fc.assert(
      fc.property(answers, fc.nat(), fc.boolean(), (answer, at, grow) => {
        const sealed = sealAnswer(answer, 1)
        const changed = grow
          ? Buffer.concat([sealed, Buffer.of(at % 256)])
          : sealed.subarray(0, at % sealed.byteLength)
        expect(unsealAnswer(changed).state).toBe('corrupt')
      }),
    )
  })

  test('of any bytes at all is said to be corrupt, and nothing throws', () => {
    fc.assert(fc.property(bytes, (any) => unsealAnswer(any).state === 'corrupt'))
  })

  test('of a newer version is foreign, not corrupt', () => {
    expect(unsealAnswer(Buffer.from('{"v":2,"shape":"unknown"}\n…')).state).toBe('foreign')
  })
})

describe('an ending', () => {
  const failure = fc.record(
    { name: fc.string(), message: fc.string(), code: fc.string() },
    { requiredKeys: ['name', 'message'] },
  )
  const endings: fc.Arbitrary<Ending> = fc.oneof(
    answers.map((answer) => ({ type: 'answer' as const, answer })),
    failure.map((facts) => ({ type: 'failed' as const, failure: facts })),
    fc.constant({ type: 'unshareable' as const }),
  )

  test('gives back what it was made of', () => {
    fc.assert(
      fc.property(endings, (ending) => {
        const unsealed = unsealEnding(sealEnding(ending))
        if (ending.type !== 'answer' || unsealed?.type !== 'answer') {
          expect(unsealed).toEqual(ending)
          return
        }
        expect({ ...unsealed.answer, body: same(unsealed.answer.body) }).toEqual({
          ...ending.answer,
          body: same(ending.answer.body),
        })
      }),
    )
  })

  test('is never mistaken for a record, nor a record for an ending', () => {
    fc.assert(
      fc.property(answers, endings, (answer, ending) => {
        expect(unsealEnding(sealAnswer(answer, 1))).toBeUndefined()
        expect(unsealAnswer(sealEnding(ending)).state).toBe('corrupt')
      }),
    )
  })

  test('that was cut counts as lost', () => {
    fc.assert(
      fc.property(endings, fc.nat(), (ending, at) => {
        const sealed = sealEnding(ending)
        expect(unsealEnding(sealed.subarray(0, at % sealed.byteLength))).toBeUndefined()
      }),
    )
  })
})
