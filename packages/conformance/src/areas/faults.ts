import assert from 'node:assert/strict'
import type { FaultPlan } from '../faulty.js'
import {
  answer,
  assertOne,
  assertStored,
  calmly,
  counted,
  first,
  idems,
  type Turn,
  together,
} from '../faulty-idems.js'
import { area } from '../kit.js'
import { atOnce, eventually, LONG_MS, newKey, PATIENCE_MS, SHORT_MS, sleep } from '../tools.js'

const turns: Record<string, Turn> = {
  'nothing goes wrong: duplicates in two processes cost one execution, and later ones none': async (
    context,
    leaseMs,
  ) => {
    const all = await idems(context, [{}, {}], {
      tuning: { leaseMs },
    })
    const [key, { count, work }] = [newKey(), counted(200)]
    const answers = (await atOnce(4, () => together(all, key, work))).flat()
    assertOne(answers, count.executions)
    for (const idem of all) await assertStored(idem, key, answers[0])
  },

  'the reply to an acquire is lost: the lock is found to be one’s own, and one execution is made': async (
    context,
  ) => {
    const plan = first('acquire', { fault: 'reply lost' })
    // A caller that does not find its own lock waits in vain, until long after this test.
    const all = await idems(context, [plan, plan], {
      tuning: { leaseMs: LONG_MS, maxWaitMs: PATIENCE_MS },
    })
    const [key, { count, work }] = [newKey(), counted(100)]
    assertOne(await together(all, key, work), count.executions)
  },

  'an acquire that never arrived is made up for: the answer is stored all the same': async (
    context,
    leaseMs,
  ) => {
    const [one, other] = await idems(context, [first('acquire', { fault: 'refused' }), {}], {
      tuning: { leaseMs },
    })
    const [key, { count, work }] = [newKey(), counted()]
    const value = await one!.run(key, work)
    await one!.close() // Waits for what happens after the answer is given.
    await assertStored(other!, key, value)
    assert.equal(count.executions, 1)
  },

  'the reply to a completion is lost: the answer stands, also when it is sent once more': async (
    context,
    leaseMs,
  ) => {
    const [one, other] = await idems(context, [first('complete', { fault: 'reply lost' }), {}], {
      tuning: { leaseMs },
    })
    const [key, { count, work }] = [newKey(), counted(50)]
    const answers = await together([one!, other!], key, work)
    assertOne(answers, count.executions)
    await one!.close() // The store sends it once more before it closes.
    await assertStored(other!, key, answers[0])
  },

  'a completion that never arrived is stored later, before another makes the call again': async (
    context,
    leaseMs,
  ) => {
    // It is sent again after a third of the lease.
    const options = { tuning: { leaseMs: 4 * leaseMs } }
    const [one, other] = await idems(context, [first('complete', { fault: 'refused' }), {}], options)
    const [key, { count, work }] = [newKey(), counted(300)]
    assertOne(await together([one!, other!], key, work), count.executions)
  },

  'renewals whose replies are lost hold the lock': async (context, leaseMs) => {
    const plan: FaultPlan = {
      command: ({ method, before }) =>
        method === 'renew' && before % 2 === 0 ? { fault: 'reply lost' } : undefined,
    }
    const all = await idems(context, [plan, plan], {
      tuning: { leaseMs },
    })
    const [key, { count, work }] = [newKey(), counted(3 * leaseMs)]
    assertOne(await together(all, key, work), count.executions)
  },

  'a release that never arrived: waiters are told how it ended, and do not make the call again': async (
    context,
    leaseMs,
  ) => {
    const plan: FaultPlan = {
      command: ({ method }) => (method === 'release' ? { fault: 'refused' } : undefined),
    }
    const [one, other] = await idems(context, [plan, {}], {
      tuning: { leaseMs },
    })
    const [key, { count }] = [newKey(), counted()]
    const failing = async () => {
      count.executions++
      await sleep(200)
      throw new Error('the provider is overloaded')
    }
    const owner = one!.run(key, failing)
    owner.catch(() => {})
    await sleep(60)
    const waiter = other!.run(key, failing)
    waiter.catch(() => {})
    await assert.rejects(owner, { message: /overloaded/ })
    await assert.rejects(waiter, { message: /overloaded/ })
    assert.equal(count.executions, 1, `${count.executions} executions`)
  },

  'an owner is cut off: when its lease is over one waiter makes the call, and nobody waits longer': async (
    context,
    leaseMs,
  ) => {
    let cut = false
    const cutOff: FaultPlan = {
      command: () => (cut ? { fault: 'refused' } : undefined),
      hint: () => (cut ? 0 : 1),
    }
    const [owner, ...waiters] = await idems(context, [cutOff, {}, {}], {
      tuning: { leaseMs },
    })
    const [key, { count, work }] = [newKey(), counted(50)]
    const own = owner!.run(key, async () => {
      cut = true
      await sleep(3 * leaseMs)
      return answer()
    })
    own.catch(() => {})
    await eventually('the owner never began', async () => cut || undefined)
    assertOne(await together(waiters, key, work), count.executions)
    assert.ok((await own).answer, 'the owner has its own answer')
    cut = false
  },

  'hints are lost: waiters find the answer by looking, and do not make the call': async (
    context,
    leaseMs,
  ) => {
    const deaf: FaultPlan = { hint: () => 0 }
    const all = await idems(context, [deaf, deaf, deaf], {
      tuning: { leaseMs },
    })
    const [key, { count, work }] = [newKey(), counted(500)]
    assertOne(await together(all, key, work), count.executions)
  },

  'hints are doubled: they wake, and change nothing': async (context, leaseMs) => {
    const echo: FaultPlan = { hint: () => 3 }
    const all = await idems(context, [echo, echo], {
      tuning: { leaseMs },
    })
    const [key, { count, work }] = [newKey(), counted(150)]
    assertOne((await atOnce(3, () => together(all, key, work))).flat(), count.executions)
    await assertStored(all[1]!, key, (await together(all, key, work))[0])
  },

  'commands that arrive late find what was settled meanwhile, and leave it': async (context, leaseMs) => {
    const late: FaultPlan = {
      command: ({ method, before }) =>
        (method === 'acquire' && before === 0) || method === 'renew'
          ? { fault: 'late', ms: 2 * SHORT_MS }
          : undefined,
    }
    const options = { tuning: { storeBudgetMs: 250, leaseMs: leaseMs / 2 } }
    const [slow] = await idems(context, [late], options)
    const [other] = await idems(context, [{}], {
      tuning: { leaseMs },
    })
    const [key, { count, work }] = [newKey(), counted(leaseMs / 4)]
    const value = await slow!.run(key, work)
    await sleep(3 * SHORT_MS) // Every command under way has arrived.
    await assertStored(other!, key, value)
    assert.equal(count.executions, 1, `${count.executions} executions`)
  },

  'a storm with every kind of fault: each call gets the answer of its own request': async (
    context,
    leaseMs,
  ) => {
    const faultsInTurn = [
      undefined,
      { fault: 'reply lost' },
      undefined,
      { fault: 'late', ms: 30 },
      { fault: 'refused' },
      undefined,
      { fault: 'reply late', ms: 30 },
    ] as const
    let turn = 0
    const stormy: FaultPlan = {
      command: () => faultsInTurn[turn++ % faultsInTurn.length],
      hint: () => turn++ % 3,
    }
    const all = await idems(context, [stormy, stormy, {}], {
      tuning: { leaseMs },
    })
    const keys = Array.from({ length: 12 }, newKey)
    await Promise.all(
      keys.flatMap((key) =>
        all.flatMap((idem, at) =>
          [0, 1].map(async (call) => {
            await sleep(20 * call * at)
            const value = await idem.run(key, async () => {
              await sleep(50)
              return { of: key }
            })
            assert.deepEqual(value, { of: key })
          }),
        ),
      ),
    )
    await Promise.all(all.map((idem) => idem.close()))
  },
}

/** Real idems over the store, while things go wrong on the way: every call gets a right answer. */
export const faults = area(
  'faults',
  Object.fromEntries(Object.entries(turns).map(([name, turn]) => [name, calmly(turn)])),
)
