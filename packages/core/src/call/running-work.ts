import { AsyncLocalStorage } from 'node:async_hooks'
import { InvalidArgumentError } from '../errors/caller-errors.js'

/** Work that is being run, and the work that asked for it. */
interface Work {
  readonly key: string
  /** The idem that runs it. */
  readonly by: object
  readonly outer: Work | undefined
  isOver: boolean
}

const current = new AsyncLocalStorage<Work>()

/** For each key whose work waits for other keys: which ones, and how often. Shared by all idems of this process. */
const waits = new Map<string, Map<string, number>>()

/** How much work is running. Without any, the runtime follows no promise for it, which all promises would pay for. */
let running = 0

/** Runs `work` as the work of a key, so that calls made inside it are known to come from it. */
export async function runAs<T>(by: object, key: string, work: () => Promise<T>): Promise<T> {
  const one: Work = { key, by, outer: current.getStore(), isOver: false }
  running++
  try {
    return await current.run(one, work)
  } finally {
    // Code it started may go on after it, and no longer waits for other work.
    one.isOver = true
    running--
    if (running === 0) current.disable()
  }
}

/** Whether the current code runs inside work of `by`. */
export function isInsideWorkOf(by: object): boolean {
  return outwards().some((work) => work.by === by)
}

/**
 * Notes that the work which the current code belongs to waits for a key.
 * @returns a function that ends the wait
 * @throws InvalidArgumentError where it would wait for itself: directly, or because the work of that key waits for it
 */
export function beginWait(key: string): () => void {
  if (running === 0) return () => {}
  const waiting = outwards().map((work) => work.key)
  if (waiting.includes(key)) {
    throw new InvalidArgumentError('This call is made by the work of the same key: it would wait for itself.')
  }
  const awaited = awaitedBy(key)
  if (waiting.some((one) => awaited.has(one))) {
    throw new InvalidArgumentError(
      'This call is made by the work of a key that the called key waits for: the two would wait for each other.',
    )
  }
  for (const one of waiting) add(one, key, 1)
  return () => {
    for (const one of waiting) add(one, key, -1)
  }
}

function outwards(): Work[] {
  const all: Work[] = []
  for (let work = current.getStore(); work; work = work.outer) if (!work.isOver) all.push(work)
  return all
}

/** Every key that the work of this one waits for, directly or through others. */
function awaitedBy(key: string, found = new Set<string>()): Set<string> {
  for (const next of waits.get(key)?.keys() ?? []) {
    if (found.has(next)) continue
    found.add(next)
    awaitedBy(next, found)
  }
  return found
}

function add(from: string, to: string, count: 1 | -1): void {
  const targets = waits.get(from) ?? new Map<string, number>()
  const left = (targets.get(to) ?? 0) + count
  if (left > 0) targets.set(to, left)
  else targets.delete(to)
  if (targets.size > 0) waits.set(from, targets)
  else waits.delete(from)
}
