import { randomBytes } from 'node:crypto'
import slotOf from 'cluster-key-slot'
import { ensureRedisServer } from '../redis/install.js'
import { formCluster } from './cluster-form.js'
import { type ClusterCommandCount, monitorNodes } from './cluster-monitor.js'
import { moveSlots, type ReshardOptions } from './cluster-reshard.js'
import { type ClusterServer, startClusterServer } from './cluster-server.js'
import { ask, ownerOf, slotsIn, unsettled, until, viewOf } from './cluster-view.js'

/** One server of a {@link TestCluster}. */
export interface ClusterNode {
  /** Its name in the cluster: 40 hex digits. */
  readonly id: string
  readonly host: string
  readonly port: number
  /** `redis://…` of this node alone: no client behind it follows redirections. */
  readonly url: string
  readonly pid: number
  /** Asks the node what it is now; rejects when it does not answer. */
  role(): Promise<'master' | 'replica'>
}

/** A real Redis Cluster to test against, owned by this handle. */
export interface TestCluster {
  /** Those that started as masters, then their replicas. Killed nodes stay in the list. */
  readonly nodes: readonly ClusterNode[]
  /** Where a cluster client may begin: the address of every node. */
  readonly seeds: { host: string; port: number }[]
  /** Random and unique for each handle. Not a hash tag: keys with it are spread over the slots. */
  readonly prefix: string
  /** The slot of a key, by its hash tag if it has one. */
  slotOf(key: string): number
  /** The node that owns the slot of `key` in the eyes of the living ones. It may be dead, until a replica is promoted. */
  masterOf(key: string): Promise<ClusterNode>
  /** Kills the server (SIGKILL), paused or not. Resolves when it has ended and its files are removed. */
  kill(node: ClusterNode): Promise<void>
  /** Stops the server from running (SIGSTOP): its connections stay open and nothing answers. */
  pause(node: ClusterNode): Promise<void>
  /** Lets a paused server run on (SIGCONT), with all that it missed still to be learned. */
  resume(node: ClusterNode): Promise<void>
  /**
   * Resolves with the node that owns all the slots `of` had when it was killed or paused, once every living
   * node agrees and says `cluster_state:ok`: a client that asks any of them finds the way. Rejects at once
   * when `of` owned none, and after 60 s otherwise.
   */
  waitForPromotion(of: ClusterNode): Promise<ClusterNode>
  /**
   * Resolves when the nodes that are neither killed nor paused are a working cluster: they reach each other,
   * agree on who owns what, own all slots, and the replicas among them are in sync. Rejects after 60 s with
   * what is missing.
   */
  settled(): Promise<void>
  /**
   * Moves slots while clients use them: exactly these, or the lowest so many `from` owns. One slot is moved
   * after the other; each is in the migrating state, where ASK happens, until its keys are moved. Resolves
   * when every living node knows the new owner. Rejects before anything is moved when `from` does not own
   * them all, and half-way when one of the masters stops answering.
   */
  reshard(
    slots: number | readonly number[],
    from: ClusterNode,
    to: ClusterNode,
    options?: ReshardOptions,
  ): Promise<void>
  /** Watches the commands of every node that is neither killed nor paused. */
  monitorAll(): Promise<ClusterCommandCount<ClusterNode>>
  /** Kills all servers, paused or not, and removes their files. May be called twice. */
  stop(): Promise<void>
}

/** Options of {@link startRedisCluster}. */
export interface StartRedisClusterOptions {
  /** A killed master is replaced only while more than half of the masters live. @default 3 */
  masters?: number
  /** Replicas of each master. @default 1 */
  replicas?: number
  /** Further arguments for every `redis-server`, stronger than those of the harness. @default none */
  args?: string[]
}

interface Member {
  node: ClusterNode
  server: ClusterServer
  life: 'running' | 'paused' | 'killed'
  /** What it owned when it was killed or paused. */
  lastSlots: number[]
}

const settleTimeoutMs = 60_000

/**
 * Starts a Redis Cluster of new processes on free ports of 127.0.0.1, without persistence, and resolves when
 * it works: see {@link TestCluster.settled}. A dead master is replaced within a few seconds. Where there is
 * no `redis-server` it is installed, or the promise rejects telling what to do, as in `startRedis`; it has to
 * be Redis 7 or newer. The servers end with `stop()` or with this process, however it ends.
 */
export async function startRedisCluster(options: StartRedisClusterOptions = {}): Promise<TestCluster> {
  const { masters = 3, replicas = 1, args } = options
  await ensureRedisServer()
  const servers = await startAll(masters * (1 + replicas), args)
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()))
  }
  const members: Member[] = servers.map((server) => ({
    node: nodeOf(server),
    server,
    life: 'running',
    lastSlots: [],
  }))

  const nodes = members.map(({ node }) => node)
  const running = () => members.filter(({ life }) => life === 'running').map(({ node }) => node)
  const views = (of: readonly ClusterNode[]) => Promise.all(of.map(viewOf))
  const nodeWith = (id: string | undefined) => nodes.find((node) => node.id === id)

  function memberOf(node: ClusterNode): Member {
    const member = members.find((one) => one.node === node)
    if (!member) throw new Error('The node is not one of this cluster')
    // Its pid may belong to somebody else by now.
    if (member.life === 'killed') throw new Error(`The node on port ${node.port} is killed`)
    return member
  }

  async function noteSlots(member: Member): Promise<void> {
    if (member.life === 'running') member.lastSlots = slotsIn(await viewOf(member.node), member.node.id)
  }

  async function settled(): Promise<void> {
    await until('the cluster works', settleTimeoutMs, async (notYet) => {
      const living = running()
      const reason = unsettled(living, await views(living))
      return reason ? notYet(reason) : true
    })
  }

  try {
    await formCluster(servers, masters)
    await settled()
  } catch (error) {
    await stop()
    throw error
  }

  return {
    nodes,
    seeds: nodes.map(({ host, port }) => ({ host, port })),
    prefix: `idem-test:${randomBytes(8).toString('hex')}:`,
    slotOf: (key) => slotOf(key),

    async masterOf(key) {
      const owner = nodeWith(ownerOf(slotOf(key), await views(running())))
      if (!owner) throw new Error(`Slot ${slotOf(key)} has no owner`)
      return owner
    },

    async kill(node) {
      const member = memberOf(node)
      await noteSlots(member)
      member.life = 'killed'
      await member.server.stop()
    },

    async pause(node) {
      const member = memberOf(node)
      await noteSlots(member)
      member.life = 'paused'
      process.kill(node.pid, 'SIGSTOP')
    },

    async resume(node) {
      const member = memberOf(node)
      process.kill(node.pid, 'SIGCONT')
      member.life = 'running'
    },

    async waitForPromotion(of) {
      const slots = members.find(({ node }) => node === of)?.lastSlots ?? []
      if (slots.length === 0)
        throw new Error('The node owned no slots when it was killed or paused, if it was')
      return until(`the node on port ${of.port} is replaced`, settleTimeoutMs, async (notYet) => {
        const seen = await views(running().filter((node) => node !== of))
        if (!seen.every(({ ok }) => ok)) return notYet('a node does not say cluster_state:ok')
        const owners = new Set(seen.flatMap((view) => slots.map((slot) => ownerOf(slot, [view]))))
        const [owner] = owners
        if (owners.size !== 1 || owner === of.id) return notYet('its slots are not in one new hand')
        return nodeWith(owner)
      })
    },

    settled,

    async reshard(slots, from, to, options = {}) {
      const living = running()
      const owned = slotsIn(await viewOf(from), from.id)
      const chosen = typeof slots === 'number' ? owned.slice(0, slots) : slots
      const foreign = chosen.find((slot) => !owned.includes(slot))
      if (foreign !== undefined) throw new Error(`Slot ${foreign} is not of the node on port ${from.port}`)
      const roles = await Promise.all(living.map((node) => node.role()))
      const others = living.filter((node, i) => roles[i] === 'master' && node !== from && node !== to)
      await moveSlots(chosen, from, to, others, options)
      await until('every node knows the new owner', settleTimeoutMs, async () => {
        const seen = await views(running())
        return seen.every((view) => chosen.every((slot) => ownerOf(slot, [view]) === to.id)) || undefined
      })
    },

    monitorAll: () => monitorNodes(running(), (node) => !running().includes(node)),
    stop,
  }
}

function nodeOf({ id, host, port, pid }: ClusterServer): ClusterNode {
  const role = async () => {
    const [name] = (await ask({ host, port }, (client) => client.call('ROLE'))) as [string]
    return name === 'master' ? 'master' : 'replica'
  }
  return { id, host, port, pid, url: `redis://${host}:${port}`, role }
}

async function startAll(count: number, args?: readonly string[]): Promise<ClusterServer[]> {
  const starts = await Promise.allSettled(Array.from({ length: count }, () => startClusterServer(args)))
  const servers = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  const failed = starts.find((start) => start.status === 'rejected')
  if (!failed) return servers
  await Promise.all(servers.map((server) => server.stop()))
  throw failed.reason
}
