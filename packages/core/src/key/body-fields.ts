import type { Steps } from './steps.js'

/** How many members are looked at in one step. */
const MEMBERS = 1_000

/**
 * A JSON value without the members that `paths` name: `metadata`, or `metadata.trace_id`, or `messages.*.id`, where `*`
 * stands for every element or member. Nothing but those is changed, and the value itself is not.
 */
export function withoutFields(value: unknown, paths: readonly string[]): Steps<unknown> {
  return without(
    value,
    paths.map((path) => path.split('.')),
  )
}

/** Whether a text can be such a path. */
export function isFieldPath(path: unknown): path is string {
  return typeof path === 'string' && path.split('.').every((name) => name !== '')
}

function* without(value: unknown, paths: readonly (readonly string[])[]): Steps<unknown> {
  if (paths.length === 0 || typeof value !== 'object' || value === null) return value
  const kept: [string, unknown][] = []
  let count = 0
  for (const [name, member] of Object.entries(value)) {
    if (++count % MEMBERS === 0) yield
    const below = paths.filter(([first]) => first === name || first === '*').map(([, ...rest]) => rest)
    if (below.some((rest) => rest.length === 0)) continue
    kept.push([name, below.length === 0 ? member : yield* without(member, below)])
  }
  return Array.isArray(value) ? kept.map(([, element]) => element) : Object.fromEntries(kept)
}
