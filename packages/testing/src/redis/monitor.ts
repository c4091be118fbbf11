import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'

/** The commands that clients sent to one Redis server, as its MONITOR shows them. */
export interface CommandCount {
  /**
   * Every client command that was answered before this call, in the order of execution, each as
   * `[name, ...args]` with the name as the client wrote it. Commands still in flight may be missing.
   * Arguments are as MONITOR prints them: other than printable ASCII is escaped (`\xe2`, `\n`).
   *
   * Left out: what scripts run inside the server, what opens, closes and looks after a connection
   * (HELLO, AUTH, SELECT, CLIENT, INFO, COMMAND, READONLY, QUIT), SCRIPT LOAD, and the markers of this
   * module. An EVAL that follows a NOSCRIPT runs the script besides loading it, so it counts, as does
   * the EVALSHA that failed: the first call of a script on a fresh server is two commands.
   */
  commands(): Promise<string[][]>
  /** Forgets every command that was answered before this call. */
  reset(): Promise<void>
  /** Closes both connections. Pending calls reject. */
  stop(): Promise<void>
}

const markerPrefix = 'idem-monitor-marker:'

const bookkeeping = new Set(['hello', 'auth', 'select', 'client', 'info', 'command', 'readonly', 'quit'])

function counts(args: string[], source: string): boolean {
  if (source === 'lua') return false
  const name = args[0]?.toLowerCase() ?? ''
  if (bookkeeping.has(name)) return false
  if (name === 'script') return args[1]?.toLowerCase() !== 'load'
  if (name === 'echo') return !args[1]?.startsWith(markerPrefix)
  return true
}

/**
 * Watches every client of the server behind `url`, from the moment the promise resolves. Each answer
 * is exact, not a matter of waiting: a marker is sent on a second connection, and what MONITOR shows
 * before that marker is what had been executed. MONITOR sees all clients of the server: use an owned
 * one, or tell your commands from others by their key prefix. Start and stop it while no client sends:
 * ioredis takes a line that comes together with the reply to MONITOR for a reply, and fails.
 */
export async function countCommands(url: string): Promise<CommandCount> {
  // No reconnecting: a gap in what MONITOR shows must be an error, not a smaller count.
  const client = new Redis(url, { retryStrategy: () => null, lazyConnect: true })
  client.on('error', () => {})
  await client.connect()
  const monitor = await client.monitor()

  let seen: string[][] = []
  let ended: Error | undefined
  const markers = new Map<string, { resolve(): void; reject(reason: Error): void }>()

  monitor.on('error', () => {})
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    if (args[0]?.toLowerCase() === 'echo' && markers.has(args[1]!)) {
      markers.get(args[1]!)!.resolve()
      markers.delete(args[1]!)
    }
    if (counts(args, source)) seen.push(args)
  })
  monitor.on('end', () => {
    ended = new Error('The MONITOR connection is closed')
    for (const marker of markers.values()) marker.reject(ended)
    markers.clear()
  })

  /** Runs `then` at the place of the marker in the stream, before any later line is looked at. */
  async function atMarker<T>(then: () => T): Promise<T> {
    if (ended) throw ended
    const marker = markerPrefix + randomUUID()
    const shown = new Promise<T>((resolve, reject) => {
      markers.set(marker, { resolve: () => resolve(then()), reject })
    })
    const [result] = await Promise.all([shown, client.echo(marker)])
    return result
  }

  return {
    commands: () => atMarker(() => seen.map((args) => [...args])),
    reset: () =>
      atMarker(() => {
        seen = []
      }),
    async stop() {
      client.disconnect()
      monitor.disconnect()
    },
  }
}
