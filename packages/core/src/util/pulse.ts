/** Something that happens once, and the promise of it. */
export interface Pulse {
  readonly promise: Promise<void>
  readonly resolve: () => void
}

export function pulse(): Pulse {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
