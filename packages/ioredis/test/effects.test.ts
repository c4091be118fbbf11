import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { useProcesses } from './processes.js'

const context = useProcesses()
const leaseMs = 400

/** A file stands for the outside world: each line is one effect. */
let directory: string
let world: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'idem-effects-'))
  world = join(directory, 'payments')
})
afterEach(() => rm(directory, { recursive: true }))

const effects = async () => (await readFile(world, 'utf8')).trim().split('\n')

test('an effect asked for by three processes, by several callers each, happens once', async () => {
  const workers = await Promise.all([1, 2, 3].map(() => context.spawn()))
  const asked = [...workers, ...workers].map((worker) => worker.call<number>('effect', 'pay 1', world))
  const [by, ...others] = new Set(await Promise.all(asked))
  expect(others).toEqual([])
  expect(await effects()).toEqual([String(by)])
})

describe('an effect whose process is killed in the middle', () => {
  /** Begins the effect in one process, kills that, and gives another process. */
  async function killed(key: string, options: object) {
    const [owner, other] = await Promise.all([1, 2].map(() => context.spawn({ tuning: { leaseMs } })))
    const lost = owner!.call('effect', key, world, { hangs: true, ...options }).catch(() => {})
    await owner!.once('began')
    owner!.signal('SIGKILL')
    await lost
    return other!
  }

  test('is made again: at least once', async () => {
    const other = await killed('pay 2', {})
    await other.call('effect', 'pay 2', world)
    expect(await effects()).toHaveLength(2)
  })

  test("is not made again with ifOwnerLost: 'reject': callers are told that nobody knows, also later", async () => {
    const careful = { ifOwnerLost: 'reject' }
    const other = await killed('pay 3', careful)
    const uncertain = expect.objectContaining({ code: 'IDEM_UNCERTAIN' })
    for (let call = 0; call < 2; call++) {
      await expect(other.call('effect', 'pay 3', world, careful)).rejects.toThrow(uncertain)
    }
    expect(await effects()).toHaveLength(1)
  })
})
