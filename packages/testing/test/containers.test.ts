import { afterEach, describe, expect, test, vi } from 'vitest'
import { prepareContainers, startRedis, startRedisClusterContainer } from '../src/index.js'

// The environment of a machine without a container engine, which this one may have.
vi.mock('testcontainers', () => ({
  ImageName: {},
  getContainerRuntimeClient: () =>
    Promise.reject(new Error('Could not find a working container runtime strategy')),
}))
afterEach(() => {
  vi.unstubAllEnvs()
})

describe('without a container engine', () => {
  test.each([
    ['a Redis', startRedis],
    ['a cluster', startRedisClusterContainer],
    ['a run of the tests', prepareContainers],
  ])('%s in containers is one sentence that says what to do, whatever else there is', async (_, start) => {
    vi.stubEnv('IDEM_TEST_REDIS', 'container')
    vi.stubEnv('IDEM_TEST_REDIS_URL', 'redis://127.0.0.1:6379')
    await expect(start()).rejects.toThrow(/^Testing in containers .*: start Docker, or set DOCKER_HOST .*\.$/)
  })
})

test('a way to get a Redis that does not exist is an error, not the usual way', async () => {
  vi.stubEnv('IDEM_TEST_REDIS', 'containers')
  await expect(startRedis()).rejects.toThrow('IDEM_TEST_REDIS may be "container" or not set')
})
