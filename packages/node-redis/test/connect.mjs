// How each client of node-redis connects, here and in the processes the kit forks.
import { createClient } from 'redis'
import { createClient as createClient5 } from 'redis-5'

const create = {
  'redis 6, RESP 3': (options) => createClient({ ...options, RESP: 3 }),
  'redis 6, RESP 2': (options) => createClient({ ...options, RESP: 2 }),
  'redis 5, RESP 3': (options) => createClient5({ ...options, RESP: 3 }),
  'redis 5, RESP 2': (options) => createClient5(options),
}

export const clientNames = Object.keys(create)

/** `options` of `createClient()`, such as `url` and `name`. */
export async function connect(clientName, options) {
  const client = create[clientName](options)
  client.on('error', () => {}) // Told of what is broken on purpose.
  await client.connect()
  return client
}
