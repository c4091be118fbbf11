import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * A TCP proxy in front of a Redis that can be made to fail. One fault is on at a time; setting one, or
 * `pass()`, ends the one before. All faults take hold before the method returns.
 */
export interface FaultProxy {
  /** The target's URL, credentials and database included, with the proxy's host and port. */
  url: string
  /** Connections that are open now. */
  readonly connections: number
  /** No fault. Bytes held by `hang()` or `delay()` flow on, in order. */
  pass(): void
  /**
   * Resets all connections, and every new one as soon as it is made: the port stays taken, so that
   * nobody else can get it before `pass()`.
   */
  cut(): void
  /** Connections stay open and new ones are accepted, but nothing is forwarded in either direction, ends included. */
  hang(): void
  /** Each piece of data is forwarded `ms` milliseconds after it came, both ways: a round trip takes 2 × `ms` more. */
  delay(ms: number): void
  /**
   * The next `count` replies are lost: each request reaches Redis and is executed, its reply is
   * swallowed and its connection reset. After them the proxy passes. Only a connection that sends
   * something from now on can lose a reply, so an idle subscriber is left in peace.
   * Resolves when the last of them is lost.
   * @default count 1
   */
  dropReplies(count?: number): Promise<void>
  /** Closes the port and all connections. */
  stop(): Promise<void>
}

type Fault = { kind: 'pass' | 'cut' | 'hang' } | { kind: 'delay'; ms: number } | LostReplies

interface LostReplies {
  kind: 'lost-replies'
  left: number
  done(): void
}

/** Starts a proxy on a free port of 127.0.0.1 in front of `target`, a `redis://host:port` URL. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const url = new URL(target)
  if (url.protocol !== 'redis:') throw new Error(`A fault proxy needs a redis:// URL, not ${url.protocol}//`)
  const upstreamHost = url.hostname.replace(/^\[|\]$/g, '')
  const upstreamPort = Number(url.port || 6379)

  let fault: Fault = { kind: 'pass' }
  const changes = new EventEmitter().setMaxListeners(0)
  const links = new Set<() => void>()

  function set(next: Fault): void {
    fault = next
    changes.emit('change')
  }

  /** Resolves when a piece of data that came at `cameAt` may go on. */
  async function gate(cameAt: number): Promise<void> {
    for (;;) {
      const leftMs = fault.kind === 'delay' ? cameAt + fault.ms - performance.now() : 0
      if (fault.kind !== 'hang' && leftMs <= 0) return
      await changedWithin(fault.kind === 'hang' ? undefined : leftMs)
    }
  }

  function changedWithin(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(finish, ms)
      changes.once('change', finish)
      function finish() {
        clearTimeout(timer)
        changes.off('change', finish)
        resolve()
      }
    })
  }

  const server = createServer((client) => {
    client.on('error', () => {})
    if (fault.kind === 'cut') return void client.resetAndDestroy()
    const upstream = connect(upstreamPort, upstreamHost)
    upstream.on('error', () => {})
    for (const socket of [client, upstream]) socket.setNoDelay(true)

    const reset = () => {
      client.resetAndDestroy()
      upstream.destroy()
    }
    links.add(reset)
    client.on('close', () => upstream.destroyed && links.delete(reset))
    upstream.on('close', () => client.destroyed && links.delete(reset))

    /** The fault under which this connection last sent a request, so that only its reply is lost. */
    let askedUnder: Fault | undefined
    forward(client, upstream, () => {
      askedUnder = fault
      return true
    })
    forward(upstream, client, () => {
      if (fault.kind !== 'lost-replies' || askedUnder !== fault) return true
      const lost = fault
      reset()
      lost.left -= 1
      if (lost.left <= 0) {
        set({ kind: 'pass' })
        lost.done()
      }
      return false
    })

    /** Keeps the order: every piece, and the end, waits for the one before. */
    function forward(from: Socket, to: Socket, passes: () => boolean): void {
      let tail = Promise.resolve()
      const queue = (step: () => void) => {
        const cameAt = performance.now()
        tail = tail.then(() => gate(cameAt)).then(step)
      }
      from.on('data', (chunk) => queue(() => void (!to.destroyed && passes() && to.write(chunk))))
      from.on('end', () => queue(() => void to.end()))
      // Only an error is passed on as one: destroying would lose a last reply that is still being written.
      from.on('close', (hadError) => queue(() => void (hadError ? to.resetAndDestroy() : to.end())))
    }
  })

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)

  function resetAll(): void {
    for (const reset of [...links]) reset()
  }

  return {
    url: url.href,
    get connections() {
      return links.size
    },
    pass: () => set({ kind: 'pass' }),
    cut() {
      set({ kind: 'cut' })
      resetAll()
    },
    hang: () => set({ kind: 'hang' }),
    delay: (ms) => set({ kind: 'delay', ms }),
    dropReplies: (count = 1) =>
      new Promise((done) => {
        set({ kind: 'lost-replies', left: count, done })
      }),
    async stop() {
      set({ kind: 'cut' })
      resetAll()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    },
  }
}
