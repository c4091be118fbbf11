// A process that holds a handle of a store which lives in the process of the test: the whole of it is the way there.
import { connect } from 'node:net'
import { deserialize, serialize } from 'node:v8'
import { serveStore } from '@idem/conformance'
import { StoreError } from '@idem/core'

const { TUNNEL_PORT, TUNNEL_METHODS, TUNNEL_LEAKS } = process.env

serveStore(async () => {
  const socket = connect(Number(TUNNEL_PORT), '127.0.0.1')
  const asked = new Map()
  const listeners = new Map()
  let count = 0
  const tell = (message) => socket.write(`${serialize(message).toString('base64')}\n`)

  const ask = (method, args) =>
    new Promise((resolve, reject) => {
      const id = ++count
      asked.set(id, { resolve, reject })
      if (method === 'watch') listeners.set(id, args.pop())
      tell({ id, method, args })
    })

  let rest = ''
  socket.on('data', (data) => {
    const lines = (rest + data).split('\n')
    rest = lines.pop()
    for (const line of lines) {
      const { id, value, error, hint } = deserialize(Buffer.from(line, 'base64'))
      if (hint) listeners.get(id)?.(hint)
      else if (error) asked.get(id)?.reject(new StoreError(error, { effect: 'unknown' }))
      else asked.get(id)?.resolve(value)
    }
  })
  await ask('hello', [Date.now()])

  const methods = TUNNEL_METHODS.split(' ')
  const store = Object.fromEntries(methods.map((name) => [name, (...args) => ask(name, args)]))
  if (TUNNEL_LEAKS) setInterval(() => {}, 60_000)
  return {
    store: {
      ...store,
      watch: (...args) => {
        const id = count + 1
        return { ready: ask('watch', args), stop: () => listeners.delete(id) }
      },
      ready: async () => {},
      close: async () => {},
    },
    close: async () => socket.end(),
  }
})
