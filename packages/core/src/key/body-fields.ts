/**
 * A JSON value without the members that `paths` name: `metadata`, or `metadata.trace_id`, or `messages.*.id`, where `*`
 * stands for every element or member. Nothing but those is changed, and the value itself is not.
 */
export function withoutFields(value: unknown, paths: readonly string[]): unknown {
  return without(
    value,
    paths.map((path) => path.split('.')),
  )
}

/** Whether a text can be such a path. */
export function isFieldPath(path: unknown): path is string {
  return typeof path === 'string' && path.split('.').every((name) => name !== '')
}

function without(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (paths.length === 0 || typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).flatMap(([name, member]) => {
    const below = paths.filter(([first]) => first === name || first === '*').map(([, ...rest]) => rest)
    const isNamed = below.some((rest) => rest.length === 0)
    return isNamed ? [] : [[name, without(member, below)] as const]
  })
  return Array.isArray(value) ? kept.map(([, element]) => element) : Object.fromEntries(kept)
}
