import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import compress from '@fastify/compress'
import files from '@fastify/static'
import type { TtlName } from '@idem/core'
import { eventText } from '@idem/core/dialect'
import fastify from 'fastify'
import { type Asking, type Lab, MODELS } from '../lab/lab.js'
import { RunError } from '../lab/runs.js'
import type { Changes } from '../shared/rows.js'
import { Feed } from './feed.js'
import { prometheusOf, summaryOf } from './metrics.js'

/** Where Vite has built the page, beside this file. */
const PAGE = fileURLToPath(new URL('./page/', import.meta.url))

/** More requests at once would be a benchmark, and are refused. */
const MAX_COUNT = 100

/** How many bytes may wait for a page that does not read. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024

const question = {
  prompt: { type: 'string', minLength: 1, maxLength: 10_000 },
  model: { enum: MODELS },
  stream: { type: 'boolean' },
  ttl: { enum: ['retry', 'chat', 'analysis', 'batch'] satisfies TtlName[] },
  bypass: { type: 'boolean' },
}

const bodyOf = (properties: object, required: string[] = Object.keys(properties)) => ({
  schema: { body: { type: 'object', required, properties, additionalProperties: false } },
})

/** The page, its API, and the metrics. Every route that does something takes JSON. */
export async function startServer(
  lab: Lab,
  port: number,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const app = fastify({
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  })
  const feed = new Feed(lab)
  // A foreign host name that resolves to this address (DNS rebinding) is refused: its pages must read nothing and do
  // nothing here.
  app.addHook('onRequest', async ({ hostname }, reply) => {
    // A foreign page must not put this one in a frame and trick people into pressing its buttons (clickjacking).
    reply.header('content-security-policy', "default-src 'self'; frame-ancestors 'none'")
    if (!['127.0.0.1', 'localhost'].includes(hostname))
      return reply.code(403).send({ error: `Open http://127.0.0.1 or http://localhost, not ${hostname}.` })
  })
  await app.register(compress)
  await app.register(files, { root: PAGE })

  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _, reply) => {
    const isStore = error.code?.startsWith('IDEM_')
    const status = error instanceof RunError ? 409 : (error.statusCode ?? (isStore ? 503 : 500))
    if (status === 500) process.stderr.write(`${error.stack}\n`)
    return reply.code(status).send({ error: error.message })
  })

  /** Everything that happens, as server-sent events. */
  app.get('/events', { compress: false }, (request, reply) => {
    const events = new PassThrough()
    const close = feed.open((changes: Changes) => {
      events.write(eventText('', JSON.stringify(changes)))
      // A page that does not read is disconnected. When it comes back it is sent everything anew.
      if (events.writableLength > MAX_UNREAD_BYTES) reply.raw.destroy()
    })
    request.raw.on('close', () => {
      close()
      events.end()
    })
    return reply.type('text/event-stream').header('cache-control', 'no-store').send(events)
  })

  /** One question, in the next worker in turn; answered when the model has. */
  app.post<{ Body: Asking }>('/generate', {
    ...bodyOf(question, ['prompt']),
    handler: async ({ body }, reply) => {
      const { error, status, headers, text, ...row } = await lab.ask(body).answered
      const { 'content-type': _, ...shown } = headers
      reply.headers(shown)
      if (error !== undefined) return reply.code(status && status >= 400 ? status : 502).send({ error })
      return { text, outcome: row.outcome, worker: row.worker, id: row.answerId }
    },
  })

  /** The same request many times at once, spread over the workers or one in each. The events tell how each went. */
  app.post<{ Body: Asking & { count: number | 'each' } }>('/requests', {
    ...bodyOf(
      {
        ...question,
        count: { anyOf: [{ type: 'integer', minimum: 1, maximum: MAX_COUNT }, { const: 'each' }] },
      },
      ['prompt', 'count'],
    ),
    handler: async ({ body: { count, ...asking } }, reply) => {
      const workers =
        count === 'each'
          ? lab.workers.rows.map(({ number }) => number)
          : Array.from({ length: count }, () => undefined)
      const requests = workers.map((worker) => lab.ask(asking, worker).id)
      return reply.code(202).send({ requests })
    },
  })

  app.post<{ Body: { name: string } }>('/runs', {
    ...bodyOf({ name: { type: 'string' } }),
    handler: async ({ body }, reply) => {
      feed.runs.start(body.name)
      return reply.code(202).send({})
    },
  })

  app.post('/runs/step', {
    ...bodyOf({}),
    handler: async (_, reply) => {
      feed.runs.step()
      return reply.code(202).send({})
    },
  })

  app.post<{ Body: { digest: string } }>('/forget', {
    ...bodyOf({ digest: { type: 'string', pattern: '^[\\w-]{43}$' } }),
    handler: async ({ body }) => {
      const forgotten = await lab.forget(body.digest)
      feed.lookSoon()
      return { forgotten }
    },
  })

  app.get('/healthz', async (_, reply) => {
    const workers = lab.workers.rows
    const up = workers.filter(({ state }) => state === 'up').length
    const redis = lab.redis ? (lab.redis.isUp ? 'up' : 'down') : 'none'
    return reply
      .code(up > 0 ? 200 : 503)
      .send({ status: up > 0 ? 'ok' : 'down', workers: `${up}/${workers.length}`, redis })
  })

  app.get('/metrics/idempotency', async () => summaryOf(await lab.fleetStats()))

  app.get('/metrics', async (_, reply) => {
    const { type, text } = await prometheusOf(await lab.statsByWorker())
    return reply.type(type).send(text)
  })

  app.addHook('onClose', async () => feed.stop())
  try {
    const url = await app.listen({ host: '127.0.0.1', port })
    return { url, stop: () => app.close() }
  } catch (error) {
    await app.close()
    throw error
  }
}
