import fastify from 'fastify'
import { type Caller, question } from './client.js'
import { prometheusOf, summaryOf } from './metrics.js'

/** The demo that stays up: a small API in front of one model, so that duplicates can be made by hand. */
export async function startServer(caller: Caller): Promise<{ url: string; stop(): Promise<void> }> {
  const app = fastify()
  const client = caller.client()

  app.get('/', async (_, reply) => {
    const { host = '' } = reply.request.headers
    return reply
      .type('text/plain')
      .send(
        [
          'idem demo. Send the same prompt twice, or twice at once:',
          `  curl -s http://${host}/generate -H 'content-type: application/json' -d '{"prompt":"hello"}' -i; echo`,
          `  curl -s http://${host}/stats                  what this process saved`,
          `  curl -s http://${host}/metrics/idempotency    the same for all that share its store, in short`,
          `  curl -s http://${host}/metrics                for Prometheus`,
          '',
        ].join('\n'),
      )
  })

  app.post<{ Body: { prompt: string } }>('/generate', {
    schema: {
      body: {
        type: 'object',
        required: ['prompt'],
        properties: { prompt: { type: 'string', minLength: 1 } },
      },
    },
    handler: async ({ body }, reply) => {
      const { data, response } = await client.messages.create(question(body.prompt)).withResponse()
      return reply.header('cache-status', response.headers.get('cache-status')).send(data)
    },
  })

  app.get('/stats', async () => caller.idem.stats())

  app.get('/metrics/idempotency', async () => summaryOf(await caller.idem.fleetStats()))

  app.get('/metrics', async (_, reply) => {
    const { type, text } = await prometheusOf(caller.idem.stats())
    return reply.type(type).send(text)
  })

  const url = await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 0) })
  return { url, stop: () => app.close() }
}
