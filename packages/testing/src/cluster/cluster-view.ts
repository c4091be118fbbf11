import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'

/** Where a node is, and the name it has in the cluster. */
export interface NodeAddress {
  id: string
  host: string
  port: number
}

/** First and last slot, both included. */
export type SlotRange = readonly [first: number, last: number]

/** One node as another (or itself) sees it: a line of CLUSTER NODES. */
interface KnownNode {
  id: string
  flags: string[]
  /** Undefined for a master. */
  masterId?: string
  /** The higher epoch wins where two nodes claim a slot. */
  epoch: number
  connected: boolean
  slots: SlotRange[]
}

/** What one node knows of the cluster. */
export interface View {
  /** `cluster_state:ok` */
  ok: boolean
  /** Not a replica that is still waiting for its master's data. */
  inSync: boolean
  nodes: KnownNode[]
}

export const slotCount = 16384

/** Longer than a loaded machine needs; a paused process never answers. */
const answerTimeoutMs = 5_000
const pollMs = 50

/** Asks one node over a connection of its own. Nothing outlives the call, so nothing keeps a process alive. */
export async function ask<T>(
  node: Pick<NodeAddress, 'host' | 'port'>,
  question: (client: Redis) => Promise<T>,
): Promise<T> {
  const client = new Redis(node.port, node.host, {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: answerTimeoutMs,
    commandTimeout: answerTimeoutMs,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    return await question(client)
  } finally {
    client.disconnect()
  }
}

/** The same for several nodes, in their order. */
export function askTogether<T>(
  nodes: readonly NodeAddress[],
  question: (clients: Redis[]) => Promise<T>,
): Promise<T> {
  const [first, ...rest] = nodes
  if (!first) return question([])
  return ask(first, (client) => askTogether(rest, (clients) => question([client, ...clients])))
}

/** The view of one node. */
export function viewOf(node: NodeAddress): Promise<View> {
  return ask(node, async (client) => {
    const [state, lines, replication] = await Promise.all([
      client.cluster('INFO'),
      client.call('CLUSTER', 'NODES') as Promise<string>,
      client.info('replication'),
    ])
    return {
      ok: /^cluster_state:ok\r?$/m.test(state),
      inSync: !/^master_link_status:(?!up)/m.test(replication),
      nodes: lines.trim().split('\n').map(parseLine),
    }
  })
}

/** `<id> <address> <flags> <master> <ping> <pong> <epoch> <link> <slots…>` */
function parseLine(line: string): KnownNode {
  const [id, , flags, master, , , epoch, link, ...slots] = line.trim().split(' ')
  return {
    id: id!,
    flags: flags!.split(','),
    masterId: master === '-' ? undefined : master,
    epoch: Number(epoch),
    connected: link === 'connected',
    // `[slot->-node]` is a migration under way, not ownership.
    slots: slots.filter((slot) => !slot.startsWith('[')).map(parseRange),
  }
}

function parseRange(text: string): SlotRange {
  const [first, last = first] = text.split('-').map(Number)
  return [first!, last!]
}

/** The slots `id` owns in this view, in ascending order. */
export function slotsIn(view: View, id: string): number[] {
  const ranges = view.nodes.find((node) => node.id === id)?.slots ?? []
  return ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i))
}

/** The id of the node that owns the slot; where views differ, the claim of the highest epoch, as in Redis. */
export function ownerOf(slot: number, views: readonly View[]): string | undefined {
  let best: KnownNode | undefined
  for (const node of views.flatMap((view) => view.nodes)) {
    if (!node.slots.some(([first, last]) => first <= slot && slot <= last)) continue
    if (!best || node.epoch > best.epoch) best = node
  }
  return best?.id
}

/**
 * Why the nodes cannot be called a working cluster yet, or undefined when they can: each is `ok`, reaches
 * all the others, holds the same nodes for the owners of all slots, and has its data if it is a replica.
 * Nodes that are not among them may be dead and do not count.
 */
export function unsettled(nodes: readonly NodeAddress[], views: readonly View[]): string | undefined {
  const pictures = views.map((view) => pictureOf(nodes, view))
  for (const [i, view] of views.entries()) {
    const port = nodes[i]!.port
    if (!view.ok) return `the node on port ${port} does not say cluster_state:ok`
    if (!view.inSync) return `the replica on port ${port} is not in sync`
    if (view.nodes.some((known) => known.flags.includes('handshake'))) return `port ${port} is in a handshake`
    const missing = nodes.find(({ id }) => !view.nodes.some((known) => known.id === id && isReached(known)))
    if (missing) return `the node on port ${port} does not reach the one on port ${missing.port}`
    if (pictures[i] !== pictures[0]) return `ports ${nodes[0]!.port} and ${port} see different clusters`
  }
  const covered = nodes.reduce((sum, { id }) => sum + slotsIn(views[0]!, id).length, 0)
  return covered === slotCount ? undefined : `only ${covered} slots have a living master`
}

function isReached(known: KnownNode): boolean {
  return known.connected && !known.flags.some((flag) => flag.startsWith('fail'))
}

function pictureOf(nodes: readonly NodeAddress[], view: View): string {
  return nodes
    .map(({ id }) => view.nodes.find((known) => known.id === id))
    .map((known) => `${known?.id} ${known?.masterId} ${known?.slots.join(' ')}`)
    .join('\n')
}

/**
 * Tries until `attempt` gives a value. What it throws, or tells `notYet`, is no failure: the last of it is
 * the cause of the Error when the time is up.
 */
export async function until<T>(
  what: string,
  timeoutMs: number,
  attempt: (notYet: (reason: string) => undefined) => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  const notYet = (reason: string) => {
    cause = new Error(reason)
    return undefined
  }
  for (;;) {
    const value = await attempt(notYet).catch((error: unknown) => {
      cause = error
      return undefined
    })
    if (value !== undefined) return value
    if (performance.now() > deadline) {
      const last = cause instanceof Error ? `: ${cause.message}` : ''
      throw new Error(`Not within ${timeoutMs} ms: ${what}${last}`, { cause })
    }
    await delay(pollMs)
  }
}
