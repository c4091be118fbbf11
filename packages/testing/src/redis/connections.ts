import { Redis } from 'ioredis'

/**
 * How many connections clients with this name have to these servers. Some clients put words of their own around it.
 */
export async function countConnections(urls: readonly string[], name: string): Promise<number> {
  const counts = await Promise.all(
    urls.map((url) => withConnections(url, name, async (_client, ids) => ids.length)),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Breaks them (CLIENT KILL), as a network or a proxy would. Resolves when the servers have closed them. */
export async function killConnections(urls: readonly string[], name: string): Promise<void> {
  await Promise.all(
    urls.map((url) =>
      withConnections(url, name, (client, ids) =>
        Promise.all(ids.map((id) => client.client('KILL', 'ID', id))),
      ),
    ),
  )
}

async function withConnections<T>(
  url: string,
  name: string,
  then: (client: Redis, ids: string[]) => Promise<T>,
): Promise<T> {
  const client = new Redis(url)
  client.on('error', () => {})
  try {
    const lines = String(await client.client('LIST')).split('\n')
    const named = lines.filter((line) => / name=(\S*)/.exec(line)?.[1]?.includes(name))
    return await then(
      client,
      named.map((line) => /^id=(\d+)/.exec(line)![1]!),
    )
  } finally {
    client.disconnect()
  }
}
