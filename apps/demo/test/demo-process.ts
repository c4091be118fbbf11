import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, onTestFinished } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** The demo in a process of its own, in a plain terminal, with only these variables of ours. */
export interface DemoProcess {
  readonly child: ChildProcess
  /** What it has printed so far. */
  output(): string
  readonly exited: Promise<{
    readonly code: number | null
    readonly output: string
    readonly lines: string[]
  }>
  /** Resolves when it has printed this; rejects if it ends first. */
  said(pattern: RegExp): Promise<RegExpExecArray>
  /** Presses Ctrl-C, which a terminal sends to all of its processes. */
  interrupt(): void
}

/**
 * Starts it. It is ended after the test, even if the test fails.
 * @param finished registers what is done after the test
 */
export function startDemo(
  args: string[],
  env: Record<string, string> = {},
  finished: (done: () => Promise<void>) => void = onTestFinished,
): DemoProcess {
  const { REDIS_URL, ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, FORCE_COLOR, PORT, ...inherited } = process.env
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...inherited, NO_COLOR: '1', ...env },
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
  const exited = once(child, 'exit').then(([code]) => ({ code, output, lines: output.trimEnd().split('\n') }))
  const group = (signal: NodeJS.Signals) => child.pid !== undefined && process.kill(-child.pid, signal)
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) group('SIGKILL')
    await exited
  }
  finished(kill)
  return {
    child,
    output: () => output,
    exited,
    async said(pattern) {
      for (;;) {
        const match = pattern.exec(output)
        if (match) return match
        await Promise.race([
          once(child.stdout, 'data'),
          exited.then(() => Promise.reject(new Error(`It ended without saying ${pattern}: ${output}`))),
        ])
      }
    },
    interrupt: () => void group('SIGINT'),
  }
}

/** Starts it and waits for its address. */
export async function openDemo(
  env: Record<string, string> = {},
  finished?: (done: () => Promise<void>) => void,
): Promise<DemoProcess & { readonly url: string }> {
  const demo = startDemo([], env, finished)
  const [, url = ''] = await demo.said(/(http:\/\/127\.0\.0\.1:\d+)\s*$/)
  return { ...demo, url }
}

/** One demo for all tests of a suite that can share it. */
export function sharedDemo(environment: () => Promise<Record<string, string>>): { readonly url: string } {
  let demo: (DemoProcess & { readonly url: string }) | undefined
  const ends: (() => Promise<void>)[] = []
  beforeAll(async () => {
    demo = await openDemo(await environment(), (end) => ends.push(end))
  })
  afterAll(() => Promise.all(ends.map((end) => end())))
  return {
    get url() {
      return demo?.url ?? ''
    },
  }
}
