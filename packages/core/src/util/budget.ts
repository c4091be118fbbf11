/** What the promise is for. Rejects with `late()` after `ms`. */
export function inTime<T>(promise: Promise<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // One more turn of the event loop: replies that arrived while this process was busy are read before the store
      // is judged slow.
      setImmediate(() => reject(late()))
    }, ms)
    promise.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
