import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Stats } from '@idem/core'
import { type Provider, startProvider } from '@idem/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manifestOf, peers } from './peers.mjs'
import { hasAllRuntimes, nodeFor, type Runtime } from './runtimes.js'

/** The result of one way to ask, from the peer's own process. */
interface Outcome {
  readonly first: string
  readonly again: string
  readonly together: readonly string[]
  readonly retried: string
  readonly refused: readonly unknown[]
}

interface Run {
  readonly node: string
  readonly warnings: readonly string[]
  readonly whole: Outcome
  readonly stream: Outcome
  readonly stats: Stats
}

const script = fileURLToPath(new URL('peers.mjs', import.meta.url))

/** The lowest Node that all packages of a peer accept. */
function runtimeOf(peer: { packages: readonly string[] }): Runtime | undefined {
  return nodeFor(peer.packages.map((name) => manifestOf(name).engines?.node ?? '*').join(' '))
}

const missing = peers.filter((peer) => !runtimeOf(peer))

test('every peer has a Node to run on, where this platform has them all', () => {
  if (hasAllRuntimes) expect(missing.map(({ name }) => name)).toEqual([])
})

for (const { name } of missing)
  test.skip(`${name}: needs a newer Node, and none is installed for ${process.platform}-${process.arch}`, () => {})

describe.each(
  peers.flatMap((peer) => {
    const runtime = runtimeOf(peer)
    const versions = peer.packages.map((name) => manifestOf(name).version).join(' and ')
    return runtime ? [[`${peer.name} (${versions})`, peer, runtime] as const] : []
  }),
)('%s', (_, peer, runtime) => {
  let provider: Provider
  let run: Run
  beforeAll(async () => {
    provider = await startProvider()
    provider.reply(({ rawBody }, index) => {
      if (rawBody.includes(': refused')) return { status: 400, latencyMs: 30 }
      // The peer's API version knows no `citations: null`, which the AI SDK refuses.
      const content = [{ type: 'text', text: `Answer ${index}` }]
      return { content, text: `Answer ${index}`, latencyMs: rawBody.includes(': slow') ? 250 : 0 }
    })
    const { stdout } = await promisify(execFile)(runtime.path, [script, peer.name, provider.url])
    run = JSON.parse(stdout)
  }, 60_000)
  afterAll(() => provider.stop())

  const callsOf = (about: string) => provider.requests.filter(({ rawBody }) => rawBody.includes(about)).length

  test(`runs on Node ${runtime.version}, and idem has nothing to warn of`, () => {
    expect(run.node).toBe(runtime.version)
    expect(run.warnings).toEqual([])
    expect(run.stats).toMatchObject({ bypassed: 0, executed: 8 })
  })

  describe.each(['whole', 'stream'] as const)('%s', (form) => {
    test('the same request again is answered without a call', () => {
      expect(run[form].first).toMatch(/^Answer \d+$/)
      expect(run[form].again).toBe(run[form].first)
      expect(callsOf(`${form}: again`)).toBe(1)
    })

    test('duplicates at once are one call, with one answer', () => {
      expect(new Set(run[form].together).size).toBe(1)
      expect(callsOf(`${form}: together`)).toBe(1)
    })

    test('a retry after a timeout gets the answer of the first try', () => {
      expect(run[form].retried).toMatch(/^Answer \d+$/)
      expect(callsOf(`${form}: slow`)).toBe(1)
      // The SDK has really asked again. Where the caller has to, the script saw the timeout.
      if (peer.retries) expect(run.stats.saved.retryCollapsed.calls).toBe(2)
    })

    test('an error is shared, and arrives as the SDK’s own', () => {
      expect(run[form].refused).toEqual([400, 400])
      expect(callsOf(`${form}: refused`)).toBe(1)
    })
  })
})
