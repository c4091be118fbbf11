import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createIdem, type Idem, memoryStore } from '../src/index.js'
import { testStore } from './tools.js'
import { askToy, ToyCall } from './toy-dialect.js'

/** Several processes that share a store. A killed one is cut off from it, whatever it is doing. */
class World {
  readonly store = memoryStore()
  readonly processes = [0, 1, 2].map(() => new Process(this))
  /** Every upstream call that was made, with its whole answer. */
  readonly executions: { call: ToyCall; body: string; sent: number }[] = []
  readonly callers: Caller[] = []

  readonly #lags: readonly number[]
  readonly #losses: readonly boolean[]
  #commands = 0
  #hints = 0

  /**
   * @param lags how long one store command or hint after the other is under way, ms, over and over
   * @param losses which hints are lost, over and over
   */
  constructor(lags: readonly number[], losses: readonly boolean[]) {
    this.#lags = lags
    this.#losses = losses
  }

  async lag(): Promise<void> {
    const ms = this.#lags[this.#commands++ % this.#lags.length]!
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
  }

  loses(): boolean {
    return this.#losses[this.#hints++ % this.#losses.length]!
  }

  /** The connections of all running calls break. */
  cut(): void {
    for (const { call } of this.executions) call.fail(new TypeError('terminated'))
  }

  /** Each execution's body has its own letter, and counts: a splice, a lost piece and a doubled piece all show. */
  execute(signal: AbortSignal): Response {
    const letter = String.fromCharCode('a'.charCodeAt(0) + this.executions.length)
    const call = new ToyCall(signal)
    const body = Array.from({ length: LENGTH / 4 }, (_, index) => `${letter}${100 + index}`).join('')
    this.executions.push({ call, body: `${body}.`, sent: 0 })
    return call.response
  }

  /** The next letters of every running execution. */
  send(count: number): void {
    for (const execution of this.executions) {
      if (execution.call.isOver || execution.sent === execution.body.length) continue
      const piece = execution.body.slice(execution.sent, execution.sent + count)
      execution.sent += piece.length
      execution.call.send(piece)
      if (execution.sent === execution.body.length) execution.call.end()
    }
  }
}

const LENGTH = 300
const LEASE_MS = 90

/** The longest time this process stood still, ms. */
function watchStalls() {
  let longest = 0
  let last = performance.now()
  const look = () => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }
  const timer = setInterval(look, 1)
  return {
    end() {
      look()
      clearInterval(timer)
      return longest
    },
  }
}

class Process {
  readonly idem: Idem
  readonly #world: World
  isDead = false

  constructor(world: World) {
    this.#world = world
    const store = testStore(world.store)
    store.fault = () => (this.isDead ? 'hang' : undefined)
    store.lag = () => world.lag()
    store.watch = (key, listener) =>
      world.store.watch!(key, (hint) => {
        if (!world.loses()) void world.lag().then(() => listener(hint))
      })
    this.idem = createIdem({
      store,
      tuning: { leaseMs: LEASE_MS, pollMinMs: 2, pollMaxMs: 10, liveBatchMs: 1, abandonGraceMs: 30 },
      logger: { warn() {} },
    })
  }

  ask(streaming: boolean, signal: AbortSignal): Promise<Response> {
    return askToy(this.idem, { stream: streaming }, (signal) => this.#world.execute(signal), signal)
  }
}

interface Caller {
  readonly process: Process
  readonly streaming: boolean
  readonly aborter: AbortController
  readonly end: Promise<{ text: string; error?: unknown }>
  hasLeft: boolean
}

function join(world: World, process: Process, streaming: boolean): void {
  const aborter = new AbortController()
  const read = async () => {
    let text = ''
    try {
      const response = await process.ask(streaming, aborter.signal)
      const reader = response.body!.getReader()
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        text += new TextDecoder().decode(next.value)
      }
      if (response.status !== 200) return { text: '', error: text }
      return { text: streaming ? text : `${JSON.parse(text).letters}.` }
    } catch (error) {
      return { text, error }
    }
  }
  world.callers.push({ process, streaming, aborter, end: read(), hasLeft: false })
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('join' as const), at: fc.nat(2), streaming: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('send' as const), count: fc.integer({ min: 1, max: 30 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), who: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), at: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pause' as const), ms: fc.nat(5) }) },
)

const steps = fc.array(step, { minLength: 10, maxLength: 40 })
const losses = fc.array(fc.boolean(), { minLength: 1, maxLength: 7 })
const lags = fc.array(fc.nat(4), { minLength: 1, maxLength: 7 })

test('callers join, leave or are killed at any time: each answer is that of one execution, whole or an error', async () => {
  let shared = 0
  await fc.assert(
    fc.asyncProperty(steps, lags, losses, async (steps, lags, losses) => {
      const world = new World(lags, losses)
      const stall = watchStalls()
      join(world, world.processes[0]!, true)
      let kills = 0
      let leaves = 0
      let cuts = 0
      for (const one of steps) {
        if (one.do === 'join' && !world.processes[one.at]!.isDead) {
          join(world, world.processes[one.at]!, one.streaming)
        }
        if (one.do === 'send') world.send(one.count)
        if (one.do === 'cut') {
          cuts++
          world.cut()
        }
        if (one.do === 'leave') {
          const caller = world.callers[one.who % world.callers.length]!
          if (!caller.hasLeft) leaves++
          caller.hasLeft = true
          caller.aborter.abort()
        }
        // One caller stays, to see how it ends.
        if (one.do === 'kill' && !world.processes[one.at]!.isDead && kills < 2) {
          kills++
          world.processes[one.at]!.isDead = true
        }
        await new Promise((resolve) => setTimeout(resolve, one.do === 'pause' ? one.ms : 0))
      }
      // Everything that runs may end now, and so may whatever takes over from here on.
      const rest = setInterval(() => world.send(LENGTH), 1)
      const living = world.callers.filter(({ process, hasLeft }) => !process.isDead && !hasLeft)
      const ends = await Promise.all(living.map(({ end }) => end))
      clearInterval(rest)
      // If the machine stands still for a part of a lease, locks lapse: then a second call is not a fault of the code.
      const isStalled = stall.end() > LEASE_MS / 3

      const bodies = world.executions.map(({ body }) => body)
      for (const { text, error } of ends) {
        if (error === undefined) expect(bodies).toContain(text)
        else expect(bodies.some((body) => body.startsWith(text))).toBe(true)
      }
      // Only a kill or a cut can take an answer away from a caller that stays.
      if (kills + cuts === 0 && !isStalled) {
        expect(ends.filter(({ error }) => error)).toEqual([])
        expect(new Set(ends.map(({ text }) => text)).size).toBeLessThanOrEqual(1)
      }
      // Only these faults, or that every caller leaves, may cause a second call.
      if (kills + cuts + leaves === 0 && !isStalled) expect(world.executions).toHaveLength(1)
      if (ends.length > 1) shared++
      for (const { call } of world.executions) call.fail(new Error('the test is over'))
    }),
    { numRuns: 150 },
  )
  expect(shared).toBeGreaterThan(20)
}, 60_000)
