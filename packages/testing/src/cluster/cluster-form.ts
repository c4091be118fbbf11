import { ask, type NodeAddress, slotCount, until } from './cluster-view.js'

/** A server in cluster mode that knows no other yet. */
export interface Member extends NodeAddress {
  busPort: number
}

const meetTimeoutMs = 60_000

/**
 * Makes one cluster of the members: the first `masters` of them share the slots evenly, the rest become
 * their replicas in turn. Every step is a command whose answer is known, where `redis-cli --cluster create`
 * sleeps by the second between its steps. The cluster works some time after this resolves.
 */
export async function formCluster(members: readonly Member[], masters: number): Promise<void> {
  await Promise.all(
    members.map((member, i) =>
      ask(member, async (client) => {
        // Distinct from the start, so that no two nodes ever claim a slot with the same authority.
        await client.cluster('SET-CONFIG-EPOCH', i + 1)
        if (i < masters) {
          const first = Math.ceil((i * slotCount) / masters)
          const last = Math.ceil(((i + 1) * slotCount) / masters) - 1
          await client.call('CLUSTER', 'ADDSLOTSRANGE', first, last)
        }
        // Every node meets every other: waiting for gossip takes seconds.
        for (const { host, port, busPort } of members.slice(0, i)) {
          await client.call('CLUSTER', 'MEET', host, port, busPort)
        }
      }),
    ),
  )
  await Promise.all(
    members.slice(masters).map((replica, i) => {
      const master = members[i % masters]!
      // Refused until the two have met.
      return until('a replica knows its master', meetTimeoutMs, () =>
        ask(replica, (client) => client.cluster('REPLICATE', master.id)),
      )
    }),
  )
}
