import { createIdem } from '@idem/core'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { outages } from '../../../test/adapters/outages.js'
import { ioredisStore } from '../src/index.js'
import { connected } from './connected.js'

outages(connected)

test('Redis unreachable from the start: no call waits for a connection that was refused', async () => {
  const client = new Redis('redis://127.0.0.1:1')
  client.on('error', () => {})
  const cold = createIdem({
    store: ioredisStore(client),
    tuning: { storeBudgetMs: 60_000 },
    logger: { warn() {} },
  })
  expect(await cold.run('cold', () => 'made')).toBe('made')
  client.disconnect()
  await cold.close()
})
