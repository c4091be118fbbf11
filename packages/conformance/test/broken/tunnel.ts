import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { deserialize, serialize } from 'node:v8'
import { STORE_METHODS, type Store } from '@idem/core/store'
import type { StoreUnderTest } from '../../src/index.js'

/** A process as a store may take notice of it. */
export interface Process {
  /** How far its clock is ahead of the one here, ms. */
  readonly clockAheadMs: number
  onEnd(listener: () => void): void
}

const { required, live, reports } = STORE_METHODS
const METHODS = [...required, ...live, ...reports]
  .filter((name) => name !== 'ready' && name !== 'close')
  .join(' ')

/**
 * A store of this process that real processes have handles of: each gets one that `openIn` makes for it, and what it
 * does travels here. So a mistake about processes is a few lines of a class here.
 */
export function tunnelled(openIn: (process: Process) => Store, options: { leaks?: boolean } = {}) {
  const home: Process = { clockAheadMs: 0, onEnd: () => {} }
  let port: Promise<number> | undefined
  const means: Omit<StoreUnderTest, 'open'> = {
    async fork() {
      port ??= listen((socket) => serve(socket, openIn))
      const env = {
        TUNNEL_PORT: String(await port),
        TUNNEL_METHODS: METHODS,
        TUNNEL_LEAKS: options.leaks ? 'yes' : undefined,
      }
      return { module: new URL('./tunnel-process.mjs', import.meta.url), env }
    },
  }
  return { open: () => openIn(home), means }
}

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer(onSocket).listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

interface Question {
  readonly id: number
  readonly method: string
  readonly args: unknown[]
}

function serve(socket: Socket, openIn: (process: Process) => Store): void {
  socket.unref()
  const ended: (() => void)[] = []
  let store: Record<string, (...args: unknown[]) => unknown> | undefined
  const tell = (message: object) => socket.write(`${serialize(message).toString('base64')}\n`)

  async function answer({ id, method, args }: Question): Promise<unknown> {
    if (method === 'hello') {
      const clockAheadMs = Math.round(((args[0] as number) - Date.now()) / 60_000) * 60_000
      store = openIn({ clockAheadMs, onEnd: (listener) => ended.push(listener) }) as never
      return undefined
    }
    if (method !== 'watch') return store![method]!(...args)
    const watch = store!.watch!(args[0], (hint: unknown) => tell({ id, hint })) as { ready: Promise<void> }
    return watch.ready
  }

  let rest = ''
  socket.on('data', (data) => {
    const lines = (rest + data).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      const question = deserialize(Buffer.from(line, 'base64')) as Question
      answer(question).then(
        (value) => tell({ id: question.id, value }),
        (error) => tell({ id: question.id, error: String(error) }),
      )
    }
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    for (const listener of ended) listener()
  })
}
