/** Something that happens once, and those who wait for it. */
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
