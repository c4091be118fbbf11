import { type CommandCount, countCommands } from '../redis/monitor.js'

/** The commands of every node of a cluster, in the manner of {@link CommandCount}. */
export interface ClusterCommandCount<Node> {
  /**
   * The commands of each node that is not killed, without CLUSTER and ROLE, by which clients and this
   * harness look at the cluster. A replica shows what its master replicates to it beside what clients ask
   * it: count writes at the masters. What a client sends twice because of a redirection is there twice.
   */
  commands(): Promise<Map<Node, string[][]>>
  /** Forgets every command that was answered before this call. */
  reset(): Promise<void>
  /** Closes all connections. Calls that are not answered yet reject. */
  stop(): Promise<void>
}

const lookingAtCluster = new Set(['cluster', 'role'])

/** Watches `nodes`, leaving out those that `isKilled` when an answer is wanted. */
export async function monitorNodes<Node extends { url: string }>(
  nodes: readonly Node[],
  isKilled: (node: Node) => boolean,
): Promise<ClusterCommandCount<Node>> {
  const counts = new Map<Node, CommandCount>()
  const stop = async () => {
    await Promise.all([...counts.values()].map((count) => count.stop()))
  }
  const started = await Promise.allSettled(
    nodes.map(async (node) => counts.set(node, await countCommands(node.url))),
  )
  for (const result of started) {
    if (result.status === 'fulfilled') continue
    await stop()
    throw result.reason
  }
  const watched = () =>
    nodes.filter((node) => !isKilled(node)).map((node) => [node, counts.get(node)!] as const)

  return {
    async commands() {
      const lists = watched().map(async ([node, count]) => {
        const all = await count.commands()
        return [node, all.filter(([name]) => !lookingAtCluster.has(name!.toLowerCase()))] as const
      })
      return new Map(await Promise.all(lists))
    },
    async reset() {
      await Promise.all(watched().map(([, count]) => count.reset()))
    },
    stop,
  }
}
