import { gatedReply, type ReplyScript } from '@idem/testing'
import { describe, expect, test } from 'vitest'
import { FIRST, follow, LAST, messagesIn, useStreamProcesses } from './stream-processes.js'

const context = useStreamProcesses()

/** The lease of an owner that is lost. Those that take over keep the default, which outlasts the stalls of a machine. */
const brief = { tuning: { leaseMs: 500 } }

describe('an owner that is killed in the middle', () => {
  test('a duplicate that has bytes is told so, with an error that says to ask again; others take over unawares', async () => {
    const [a, b, c] = await Promise.all([context.spawn(brief), context.spawn(), context.spawn()])
    const gated = gatedReply()
    context.provider.reply((_, index) => (index === 0 ? gated.script : {}))
    gated.open(5)
    await a!.call('begin', 'owner', 'killed')
    const owner = follow(a!, 'owner')
    await owner.has(FIRST)
    await b!.call('begin', 'joiner', 'killed')
    const joiner = follow(b!, 'joiner')
    await joiner.has(FIRST)
    // Has its headers, and has read nothing of the body.
    await c!.call('begin', 'patient', 'killed')
    const whole = c!.call<{ id: string }>('message', 'killed', 'whole')
    owner.end.catch(() => {})

    a!.signal('SIGKILL')
    const told = await joiner.end
    expect(told.error).toEqual({ code: 'IDEM_STREAM_INTERRUPTED', name: 'StreamInterruptedError' })
    expect(told.text).not.toContain(LAST)

    // Its process has taken over by then. If it read sooner it might get bytes of the dead owner, as nobody knows yet.
    const { id } = await whole
    const patient = await follow(c!, 'patient').end
    expect(patient.error).toBeUndefined()
    expect(patient.text).toContain(LAST)
    expect([...messagesIn(patient.text)]).toEqual([id])
    expect(messagesIn(told.text)).not.toEqual(messagesIn(patient.text))
    expect(context.provider.calls).toBe(2)
  })
})

describe('an owner whose caller has left', () => {
  const options = { tuning: { abandonGraceMs: 300, pollMaxMs: 100 } }

  test('goes on as long as somebody waits in another process', async () => {
    const [a, b] = await Promise.all([context.spawn(options), context.spawn(options)])
    const gated = gatedReply()
    context.provider.reply(gated.script)
    gated.open(5)
    await a!.call('begin', 'owner', 'left')
    await b!.call('begin', 'joiner', 'left')
    const joiner = follow(b!, 'joiner')
    await joiner.has(FIRST)
    await a!.call('leave', 'owner')
    // Several times the grace.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(context.provider.requests[0]!.state).toBe('open')
    gated.open()
    expect((await joiner.end).text).toContain(LAST)
    expect(await a!.call('stats')).toMatchObject({ cancelled: 0 })
    expect(context.provider.calls).toBe(1)
  })

  test('is cancelled when no caller is left anywhere, and that is told as a failure to none', async () => {
    const [a, b] = await Promise.all([context.spawn(options), context.spawn(options)])
    const gated = gatedReply()
    context.provider.reply((_, index) => (index === 0 ? gated.script : {}))
    gated.open(5)
    await a!.call('begin', 'owner', 'gone')
    await b!.call('begin', 'joiner', 'gone')
    await Promise.all([a!.call('leave', 'owner'), b!.call('leave', 'joiner')])
    await context.provider.requests[0]!.closedByClient
    // It may still find the lock of the cancelled call, and has no bytes of it to lose.
    const message = await b!.call<{ type: string }>('message', 'gone', 'whole')
    expect(message.type).toBe('message')
    expect(await a!.call('stats')).toMatchObject({ cancelled: 1 })
    expect(context.provider.calls).toBe(2)
  })
})

describe('a stream that does not end well, for callers in another process', () => {
  const long = { text: 'word '.repeat(200) }
  const endings: [string, object, ReplyScript, string | undefined][] = [
    ['an error event is given to all', {}, { status: 200, error: { type: 'overloaded_error' } }, undefined],
    ['a connection that breaks', {}, { drop: 'mid-body' }, 'IDEM_STREAM_INTERRUPTED'],
    ['an answer over the limit', { tuning: { maxRecordBytes: 3_000 } }, long, 'IDEM_STREAM_INTERRUPTED'],
  ]
  test.each(endings)(
    '%s: a caller that has bytes is told, nothing is stored, others get a new answer',
    async (about, options, script, code) => {
      const [a, b] = await Promise.all([context.spawn(options), context.spawn(options)])
      const gated = gatedReply(script)
      context.provider.reply((_, index) => (index === 0 ? gated.script : {}))
      gated.open(5)
      await a!.call('begin', 'owner', about)
      const owner = follow(a!, 'owner')
      await owner.has(FIRST)
      await b!.call('begin', 'joiner', about)
      const joiner = follow(b!, 'joiner')
      await joiner.has(FIRST)
      const whole = b!.call<{ type: string }>('message', about, 'whole').catch((error) => error as Error)
      gated.open()

      const [first, told] = await Promise.all([owner.end, joiner.end])
      expect(told.error?.code).toBe(code)
      if (script.error) {
        expect(told).toEqual(first)
        expect(told.text).toContain('overloaded_error')
        expect(String(await whole)).toContain('overloaded_error')
      } else {
        expect(told.text).not.toContain(LAST)
        expect(await whole).toMatchObject({ type: 'message' })
        // The one whose call it was has all of an answer that was only too large.
        expect(first.text.includes(LAST)).toBe(script === long)
      }
      const later = await a!.call<{ id: string }>('message', about, 'stream')
      expect([...messagesIn(first.text)]).not.toContain(later.id)
    },
  )
})

test('two owners: a paused one goes on after its lease; nobody has bytes of both, and one answer stands', async () => {
  const [a, b] = await Promise.all([context.spawn(brief), context.spawn()])
  const gates = [gatedReply(), gatedReply()]
  context.provider.reply((_, index) => gates[index]!.script)
  gates[0]!.open(5)
  await a!.call('begin', 'owner', 'paused')
  const owner = follow(a!, 'owner')
  await owner.has(FIRST)
  a!.signal('SIGSTOP')
  // Waits for the lease to lapse, and takes over.
  const began = b!.call('begin', 'successor', 'paused')
  await context.provider.waitForCalls(2)
  gates[1]!.open(5)
  await began
  const successor = follow(b!, 'successor')
  await successor.has(FIRST)
  a!.signal('SIGCONT')
  gates[1]!.open()
  const second = await successor.end
  gates[0]!.open()
  const first = await owner.end

  expect(first.text).toContain(LAST)
  expect(second.text).toContain(LAST)
  expect(messagesIn(first.text).size).toBe(1)
  expect(messagesIn(second.text).size).toBe(1)
  expect(first.text).not.toBe(second.text)
  const stands = await b!.call<{ id: string }>('message', 'paused', 'whole')
  expect([...messagesIn(second.text)]).toEqual([stands.id])
  expect(await a!.call('message', 'paused', 'whole')).toEqual(stands)
  expect(await a!.call('stats')).toMatchObject({ diverged: 1, superseded: 0 })
  expect(context.provider.calls).toBe(2)
})
