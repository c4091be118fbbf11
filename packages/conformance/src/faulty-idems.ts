import assert from 'node:assert/strict'
import { createIdem, type Idem, type IdemOptions } from '@idem/core'
import type { Store } from '@idem/core/store'
import { type FaultPlan, faulty } from './faulty.js'
import type { ConformanceTest, TestContext } from './kit.js'
import { newOwner, now, sleep } from './tools.js'

/** A lease that is renewed and lapses within a test. */
const LEASE_MS = 600

/** The answer of one execution, different from that of any other. */
export const answer = () => ({ answer: newOwner() })

export type Turn = (context: TestContext, leaseMs: number) => Promise<void>

/**
 * A turn that failed proves nothing if this process itself stood still for a good part of the lease, which nobody
 * planned: it is run again, with longer leases.
 */
export function calmly(turn: Turn): ConformanceTest['run'] {
  return async (context) => {
    for (const leaseMs of [LEASE_MS, 2 * LEASE_MS]) {
      const stalls = watchStalls()
      try {
        await turn(context, leaseMs)
        return
      } catch (error) {
        if (stalls.longestMs() < leaseMs / 6) throw error
      } finally {
        stalls.stop()
      }
    }
    await turn(context, 4 * LEASE_MS)
  }
}

/** How long the event loop stood still. */
function watchStalls() {
  let [last, longest] = [now(), 0]
  const look = () => {
    longest = Math.max(longest, now() - last - 20)
    last = now()
  }
  const timer = setInterval(look, 20)
  const longestMs = () => {
    look()
    return longest
  }
  return { longestMs, stop: () => clearInterval(timer) }
}

/** Idems that see the store through a plan each, as processes on different networks do. */
export async function idems(
  { open }: TestContext,
  plans: readonly FaultPlan[],
  options: IdemOptions & { tuning: { leaseMs: number } },
): Promise<Idem[]> {
  const handles = await Promise.all(plans.map(() => open()))
  return plans.map((plan, index) =>
    createIdem({
      store: lent(faulty(handles[index]!, plan)),
      logger: { warn() {} },
      ...options,
      tuning: { pollMinMs: 15, pollMaxMs: 60, storeBudgetMs: 3_000, maxWaitMs: 8_000, ...options.tuning },
    }),
  )
}

/**
 * The kit closes the handles it opened: one may belong to other tests, too. The idems write no statistics: the board of
 * a day has no random name.
 */
const lent = (store: Store): Store => ({
  ...store,
  report: undefined,
  reports: undefined,
  close: async () => {},
})

/** Runs one request in every idem at once. */
export async function together<T>(
  all: readonly Idem[],
  key: string,
  work: () => Promise<T> | T,
): Promise<T[]> {
  return Promise.all(all.map((idem) => idem.run(key, work)))
}

/** Everybody got the one answer, and it was made once. */
export function assertOne(answers: readonly unknown[], executions: number): void {
  assert.equal(new Set(answers.map((one) => JSON.stringify(one))).size, 1, 'not all got the same answer')
  assert.equal(executions, 1, `${executions} executions`)
}

/** Work that counts how often it is done. */
export function counted(ms = 0) {
  const count = { executions: 0 }
  const work = async () => {
    count.executions++
    await sleep(ms)
    return answer()
  }
  return { count, work }
}

/** Asks until the answer is replayed, which must happen once it was stored. */
export async function assertStored(idem: Idem, key: string, expected: unknown): Promise<void> {
  const found = await idem.runWithOutcome(key, () => 'made again')
  assert.deepEqual(found, { value: expected, outcome: 'replayed' })
}

/** Makes this happen to the first command of a method on each key. */
export const first = (method: string, fault: ReturnType<NonNullable<FaultPlan['command']>>): FaultPlan => ({
  command: (command) => (command.method === method && command.before === 0 ? fault : undefined),
})
