import { parseArgs } from 'node:util'
import colors from 'picocolors'
import { Lab } from './lab/lab.js'
import { scenarios } from './lab/scenarios/index.js'
import { showScenarios, showTally } from './lab/show.js'
import { startServer } from './server/server.js'

const USAGE = `npm start [-- --once]

Serves a page on which duplicates of real SDK calls cost one upstream call, until Ctrl-C.
-- once: runs the scenarios in the terminal and exits.

  REDIS_URL           share over this Redis (7.0 or newer) [a redis-server of its own, if one is on the PATH]
  ANTHROPIC_API_KEY   call the real API instead of the bundled model: that is billed
  PORT                where to listen [a free port]
`

const values = flags()
if (values.help) {
  process.stdout.write(USAGE)
  process.exit(0)
}

const { REDIS_URL, ANTHROPIC_API_KEY, PORT = '0' } = process.env
if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65_535) refuse(`PORT must be a number up to 65535, not ${PORT}`)
const STOPPED = Symbol('stopped')
const stopped = new Promise<typeof STOPPED>((resolve) => {
  // Listens until the very end: pressing Ctrl-C twice must not leave anything behind.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve(STOPPED))
  // Nobody reads the output any more, as after `| head`.
  process.stdout.on('error', () => resolve(STOPPED))
})

const starting = Lab.start(REDIS_URL, Boolean(ANTHROPIC_API_KEY)).catch((error) => refuse(error.message))
const lab = await Promise.race([starting, stopped])
// Nothing has been asked yet, so nothing is stored; what was started ends with this process.
if (lab === STOPPED) process.exit(130)
const { store, model } = lab.shown
const processes = lab.workers.rows.length
process.stdout.write(`${colors.bold('idem')} demo
  ${colors.dim('workers')}  ${processes === 1 ? 'one process' : `${processes} processes`}
  ${colors.dim('store')}    ${store}
  ${colors.dim('model')}    ${model}

`)
const code = await (values.once ? show(lab) : serve(lab)).finally(() => lab.stop())
// A scenario that was interrupted may still wait for something that will not come.
process.exit(code)

async function show(lab: Lab): Promise<number> {
  const tally = await Promise.race([showScenarios(scenarios, lab), stopped])
  if (tally === STOPPED) return 130
  await showTally(tally, lab)
  return tally.failed > 0 ? 1 : 0
}

async function serve(lab: Lab): Promise<number> {
  let server: Awaited<ReturnType<typeof startServer>>
  try {
    server = await startServer(lab, Number(PORT))
  } catch (error) {
    process.stderr.write(
      `Cannot listen: ${error instanceof Error ? error.message : error}. Set PORT to a free one.\n`,
    )
    return 2
  }
  process.stdout.write(`Open this page (Ctrl-C stops it): ${colors.bold(colors.cyan(server.url))}\n`)
  await stopped
  await server.stop()
  return 0
}

function flags() {
  try {
    return parseArgs({ options: { once: { type: 'boolean' }, help: { type: 'boolean' } } }).values
  } catch (error) {
    return refuse(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(2)
}
