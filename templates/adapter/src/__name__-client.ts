import { InvalidArgumentError } from '@idem/core'

/** The part of the client that is used, told by its shape: any copy of the package fits. */
export interface __Pascal__Client {
  /** WRITE: the methods and events that the driver calls. */
  sendCommand(command: readonly (string | Buffer)[]): Promise<unknown>
}

/** @throws InvalidArgumentError for what cannot be a store's client, and says what to do instead. */
export function assertUsable(client: __Pascal__Client): void {
  if (typeof client?.sendCommand !== 'function') {
    throw new InvalidArgumentError('__camel__Store takes a client of __name__.')
  }
  // WRITE: a client that was closed, and whatever else this client can be that will not work.
}
