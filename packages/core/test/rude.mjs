// Idems whose logger, listeners or policy misbehave, one for each deed. Prints what calls gave, and what nobody caught.
import { subscribe } from 'node:diagnostics_channel'
import { createIdem } from '../dist/index.js'
import { plainDialect } from './plain-dialect.mjs'

const [place, ...deeds] = process.argv.slice(2)

const rude = () => new Error('rude')
const DEEDS = {
  throw() {
    throw rude()
  },
  reject: async () => {
    throw rude()
  },
  'reject later': () => new Promise((_, reject) => setTimeout(reject, 5, rude())),
  thenable: () => ({
    // biome-ignore lint/suspicious/noThenProperty: it is what is tested
    then: (_, reject) => reject(rude()),
  }),
  'hostile thenable': () => ({
    // biome-ignore lint/suspicious/noThenProperty: it is what is tested
    get then() {
      throw rude()
    },
  }),
  undefined: () => undefined,
}

let unheard = []
process.on('unhandledRejection', (error) => unheard.push(`unhandled: ${error.message}`))
process.on('uncaughtException', (error) => unheard.push(`uncaught: ${error.message}`))

const results = []
for (const deed of deeds) results.push(await suffer(deed))
process.stdout.write(JSON.stringify(results))

async function suffer(deed) {
  unheard = []
  const act = DEEDS[deed] ?? DEEDS.throw
  const logger = { warn() {} }
  if (deed === 'getter') Object.defineProperty(logger, place, { get: act })
  else if (['warn', 'info', 'debug'].includes(place)) logger[place] = act

  const policy = place !== 'policy' ? undefined : act
  const idem = createIdem({ logger, ...(policy && { policy }) })
  if (place === 'listener') for (const name of ['call', 'warning']) idem.on(name, act)
  if (place === 'channel') for (const name of ['call', 'warning']) subscribe(`idem:${name}`, act)

  let calls = 0
  const count = (value) => () => {
    calls++
    return value
  }
  const values = [
    String(await idem.run('unfit', count(1n))),
    String(await idem.run('unfit', count(1n))),
    await idem.run('a', count('a')),
    await idem.run('a', count('a')),
  ]

  /** Through both doors: the inner one tells the logger, with `debug`, that there are two. */
  const ask = (send) =>
    idem.exchange({
      dialect: plainDialect(() => 'whole'),
      request: {
        url: 'http://test/',
        method: 'POST',
        headers: new Headers({ authorization: 'key' }),
        body: '{}',
      },
      send,
    })
  const answer = async () => new Response('text', { headers: { 'content-type': 'text/event-stream' } })
  const statuses = []
  for (const _ of [1, 2]) {
    const response = await ask(() => ask(answer))
    await response.text()
    statuses.push(response.status)
  }
  await idem.close()
  await new Promise((resolve) => setTimeout(resolve, 20))
  return { deed, values, calls, statuses, unheard }
}
