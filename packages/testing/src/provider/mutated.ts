/** One change of a list of events. Every number wraps round the end of the list it counts in. */
export interface Mutation {
  /**
   * - `drop`, `repeat`, `swap`: of an event; swapped with the one after it.
   * - `remove`, `replace`: of a member or item anywhere in an event.
   * - `add`: of a member to an object anywhere in an event.
   */
  readonly do: 'drop' | 'repeat' | 'swap' | 'remove' | 'replace' | 'add'
  readonly event: number
  readonly place: number
  readonly name: string
  readonly value: unknown
}

type Container = Record<string, unknown>

/** The events after these changes, one after the other. The events given are left as they are. */
export function mutated<T>(events: readonly T[], mutations: readonly Mutation[]): T[] {
  return mutations.reduce((changed, mutation) => mutate(changed, mutation), structuredClone([...events]))
}

function mutate<T>(events: T[], { do: what, event, place, name, ...mutation }: Mutation): T[] {
  if (events.length === 0) return events
  const value = structuredClone(mutation.value)
  const at = event % events.length
  const one = events[at]!
  switch (what) {
    case 'drop':
      return events.toSpliced(at, 1)
    case 'repeat':
      return events.toSpliced(at, 0, structuredClone(one))
    case 'swap':
      return events.toSpliced(at, 2, ...events.slice(at, at + 2).reverse())
  }
  const places = placesIn(one)
  if (what === 'add') {
    const objects = [one as Container, ...places.map(([parent, key]) => parent[key] as Container)].filter(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    )
    objects[place % objects.length]![name] = value
    return events
  }
  const found = places[place % Math.max(1, places.length)]
  if (!found) return events
  const [parent, key] = found
  if (what === 'replace') parent[key] = value
  else if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else delete parent[key]
  return events
}

/** Every member and item, however deep. */
function placesIn(value: unknown): [parent: Container, key: string][] {
  if (typeof value !== 'object' || value === null) return []
  const container = value as Container
  return Object.keys(container).flatMap((key): [Container, string][] => [
    [container, key],
    ...placesIn(container[key]),
  ])
}
