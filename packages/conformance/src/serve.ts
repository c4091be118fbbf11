import { STORE_METHODS, type Watch } from '@idem/core/store'
import type { Open } from './kit.js'
import { type Answer, CLOCK_AHEAD, type Order, toWire } from './wire.js'

const METHODS = Object.values(STORE_METHODS).flat()

/**
 * Serves one handle to the kit that forked this process: the whole of a module that is given as `fork`.
 *
 *     serveStore(() => ({ store: ioredisStore(new Redis(process.env.REDIS_URL)) }))
 */
export async function serveStore(open: Open): Promise<void> {
  if (!process.send) throw new Error('serveStore() is for a process that the kit forks; see `fork`.')
  setClockAhead(Number(process.env[CLOCK_AHEAD] ?? 0))
  const handle = await open()
  const { store } = handle
  const watches = new Map<number, Watch>()
  const tell = (answer: Answer) => process.send?.(answer)

  async function leave(): Promise<void> {
    await handle.close?.()
    // Waits that end late do so, too.
    for (const watch of watches.values()) watch.stop()
  }

  async function obey(order: Order): Promise<unknown> {
    if (order.idem === 'call') return (store as unknown as Methods)[order.method]!(...order.args)
    if (order.idem === 'leave') return leave()
    if (order.idem === 'stop') return watches.get(order.watch)?.stop()
    const watch = store.watch!(order.key, (hint) => tell({ idem: 'hint', id: order.id, hint }))
    watches.set(order.id, watch)
    return watch.ready
  }

  // The kit is gone, so there is nobody left to serve. A process that was told to leave ends when nothing keeps it
  // alive.
  const abandon = () => process.exit(1)
  process.on('disconnect', abandon)
  process.on('message', async (order: Order) => {
    const { id } = order
    try {
      tell({ idem: 'value', id, value: await obey(order) })
    } catch (error) {
      tell({ idem: 'error', id, error: toWire(error) })
    }
    if (order.idem !== 'leave') return
    process.off('disconnect', abandon)
    process.disconnect()
  })
  tell({ idem: 'open', methods: METHODS.filter((name) => typeof store[name] === 'function') })
}

type Methods = Record<string, (...args: unknown[]) => unknown>

/** The time of day on a machine whose clock is wrong. */
function setClockAhead(ms: number): void {
  if (ms === 0) return
  const ahead = () => Right.now() + ms
  const Right = Date
  globalThis.Date = new Proxy(Right, {
    construct: (_, args) => Reflect.construct(Right, args.length === 0 ? [ahead()] : args),
    get: (_, name) => (name === 'now' ? ahead : Reflect.get(Right, name)),
  })
}
