import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Anthropic } from '@anthropic-ai/sdk'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import { createIdem, memoryStore } from '@idem/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type EffectContext, effectsOnce, withIdem } from '../src/index.js'
import { clientOf, params, useProvider } from './tools.js'

const context = useProvider()

/** A file stands for the outside world: each line is one effect. */
let directory: string
let world: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'idem-effects-'))
  world = join(directory, 'tickets')
  // First it asks for the tool, then it is content.
  context.provider.reply(({ body }) => {
    const isAnswered = body.messages.length > 1
    const content = [{ type: 'tool_use', id: 'toolu_1', name: 'ticket', input: { title: 'Broken' } }]
    return isAnswered ? { text: 'Done.' } : { content, stopReason: 'tool_use', latencyMs: 30 }
  })
})
afterEach(() => rm(directory, { recursive: true }))

const effects = async () => (await readFile(world, 'utf8').catch(() => '')).split('\n').filter(Boolean)

const ticket = betaTool({
  name: 'ticket',
  description: 'Opens a ticket',
  inputSchema: { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] } as const,
  run: async ({ title }, about) => {
    await appendFile(
      world,
      `${title} ${(about as Partial<EffectContext> | undefined)?.idempotencyKey ?? ''}\n`,
    )
    return `Ticket ${(await effects()).length}`
  },
})

/** Runs a runner to its end, and gives the last thing it was told. */
function runTo(end: ReturnType<typeof clientOf>['client'], tools: (typeof ticket)[]) {
  return end.beta.messages.toolRunner({ ...params, tools, thread: false }).runUntilDone()
}

describe('three duplicate tool runners', () => {
  test('make two upstream calls, and the effect three times where only the calls are shared', async () => {
    const { client } = clientOf(context.provider)
    await Promise.all([1, 2, 3].map(() => runTo(client, [ticket])))
    expect(context.provider.calls).toBe(2)
    expect(await effects()).toHaveLength(3)
  })

  test('make it once with effectsOnce, whichever of them and in whichever process; all have its result', async () => {
    const store = memoryStore()
    const clients = [1, 2, 3].map(() => {
      const idem = createIdem({ store })
      return { idem, client: withIdem(new Anthropic({ baseURL: context.provider.url, apiKey: 'key' }), idem) }
    })
    const ends = await Promise.all(
      clients.map(({ idem, client }) => runTo(client, effectsOnce(idem, [ticket]))),
    )
    expect(await effects()).toEqual([expect.stringMatching(/^Broken [\w-]{43}$/)])
    expect(context.provider.calls).toBe(2)
    expect(new Set(ends.map(({ id }) => id)).size).toBe(1)
    const [, again] = context.provider.requests
    expect(again?.body.messages.at(-1).content).toEqual([
      { type: 'tool_result', tool_use_id: 'toolu_1', content: 'Ticket 1' },
    ])
  })

  test('and a later one makes none', async () => {
    const { client, idem } = clientOf(context.provider, {}, { toolCalls: 'store' })
    const tools = effectsOnce(idem, [ticket])
    for (let runner = 0; runner < 3; runner++) await runTo(client, tools)
    expect(await effects()).toHaveLength(1)
    expect(context.provider.calls).toBe(2)
  })

  test('that are given a failure may run the effect again', async () => {
    let failures = 0
    const failing: typeof ticket = {
      ...ticket,
      run: () => {
        failures++
        throw new Error('The desk is closed')
      },
    }
    const { client, idem } = clientOf(context.provider)
    const end = await Promise.all([1, 2, 3].map(() => runTo(client, effectsOnce(idem, [failing]))))
    expect(failures).toBe(1)
    expect(new Set(end.map(({ id }) => id)).size).toBe(1)
    await effectsOnce(idem, [ticket])[0]!.run({ title: 'Broken' }, toolUse({ title: 'Broken' }))
    expect(await effects()).toHaveLength(1)
  })
})

function toolUse(input: { title: string }) {
  const block = { type: 'tool_use' as const, id: 'toolu_1', name: 'ticket', input }
  return { toolUse: block, toolUseBlock: block }
}

test('a tool call with the id of another one and a different input is refused: it would get a wrong result', async () => {
  const [once] = effectsOnce(createIdem(), [ticket])
  await once!.run({ title: 'a' }, toolUse({ title: 'a' }))
  const reused = expect.objectContaining({ code: 'IDEM_KEY_REUSED' })
  await expect(once!.run({ title: 'b' }, toolUse({ title: 'b' }))).rejects.toThrow(reused)
  expect(await effects()).toHaveLength(1)
})

test('the effect is for all runners: aborting one takes it from no other', async () => {
  let end: (value: string) => void = () => {}
  const signals: (AbortSignal | null | undefined)[] = []
  const slow: typeof ticket = {
    ...ticket,
    run: (_, about) => {
      signals.push(about?.signal)
      return new Promise((resolve) => {
        end = resolve
      })
    },
  }
  const [once] = effectsOnce(createIdem(), [slow])
  const gone = new AbortController()
  const first = once!.run({ title: 'a' }, { ...toolUse({ title: 'a' }), signal: gone.signal })
  const second = once!.run({ title: 'a' }, toolUse({ title: 'a' }))
  await vi.waitFor(() => expect(signals).toHaveLength(1), { timeout: 20_000 })
  gone.abort(new Error('left'))
  await expect(first).rejects.toThrow('left')
  expect(signals[0]?.aborted).toBe(false)
  end('done')
  expect(await second).toBe('done')
})

test('a tool that is run by hand, outside a tool call, is run', async () => {
  const [once] = effectsOnce(createIdem(), [ticket])
  for (let run = 0; run < 2; run++) await once!.run({ title: 'a' })
  expect(await effects()).toHaveLength(2)
})
