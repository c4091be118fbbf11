import { randomUUID } from 'node:crypto'
import type { StartedTestContainer } from 'testcontainers'
import { containerLeash } from './container-leash.js'

/** A container started by this process. */
export interface Container {
  /** Where the ports of the container are to be reached. */
  host: string
  /** The port on `host` behind which `inside` listens. */
  port(inside: number): number
  /** Removes the container and its volumes. May be called twice. */
  stop(): Promise<void>
}

/** What {@link startContainer} starts. */
export interface ContainerOptions {
  /** A `sh` script. `$REDIS_SERVER` and `$REDIS_CLI` name the two binaries of the image, Redis or Valkey. */
  script: string
  /** `$@` of the script. */
  args: readonly string[]
  ports: readonly number[]
  /** A line of the log that tells that the container is ready. */
  ready: RegExp
}

const startTimeoutMs = 60_000
const logTailLength = 2000

/**
 * What runs in a container. The binaries are those of Redis, or of Valkey where there are no links of the old names.
 * A script that fails, as with arguments its server refuses, exits at once, with 1. The container stays for a moment
 * then: testcontainers asks for its ports before it reads its log, and a container that is gone has none.
 */
const framed = (script: string) => `
REDIS_SERVER=$(command -v redis-server || command -v valkey-server)
REDIS_CLI=$(command -v redis-cli || command -v valkey-cli)
(${script}) &
script=$!
trap 'kill $script' TERM INT
wait $script
status=$?
[ $status -ne 1 ] || sleep 5
exit $status
`

/** The image of every container: the one `IDEM_TEST_REDIS_IMAGE` names. @default redis:8-alpine */
export function redisImage(): string {
  return process.env.IDEM_TEST_REDIS_IMAGE || 'redis:8-alpine'
}

/**
 * Resolves when an engine answers and has the image, pulled if need be; rejects telling in one sentence what
 * to do. Every start asks for it; asking before the first one keeps the pull out of a test's time.
 */
export async function prepareContainers(): Promise<void> {
  // Loaded here and not above, as it takes half a second that a test without containers need not spend.
  const { getContainerRuntimeClient, ImageName } = await import('testcontainers')
  const { image } = await getContainerRuntimeClient().catch((error) => {
    throw new Error(
      'Testing in containers (IDEM_TEST_REDIS=container) needs a container engine: start Docker, ' +
        'or set DOCKER_HOST to an engine that answers.',
      { cause: error },
    )
  })
  const name = ImageName.fromString(redisImage())
  // A pull may fail without rejecting, so what counts is that the image is there afterwards.
  const failure = await image.pull(name).catch((error: Error) => error)
  if (!(await image.exists(name))) {
    throw new Error(
      `The container engine does not have the image ${name.string} and cannot pull it: load it, ` +
        'or name another with IDEM_TEST_REDIS_IMAGE.',
      { cause: failure },
    )
  }
}

/**
 * Starts a container of {@link redisImage}. It ends with `stop()` or with this process, however that ends.
 * Rejects with the end of its log when it does not get ready.
 */
export async function startContainer(options: ContainerOptions): Promise<Container> {
  await prepareContainers()
  const { GenericContainer, Wait } = await import('testcontainers')
  const label = { 'idem-test-container': randomUUID() }
  const tie = containerLeash(label)
  let log = ''
  // Not the entrypoint of the image, which loads the modules of Redis 8: nothing here uses them.
  const starting = new GenericContainer(redisImage())
    .withEntrypoint(['sh', '-c', framed(options.script), 'sh'])
    .withCommand([...options.args])
    .withExposedPorts(...options.ports)
    .withLabels(label)
    .withLogConsumer((stream) => {
      stream.on('data', (chunk) => {
        log = (log + chunk).slice(-logTailLength)
      })
    })
    .withWaitStrategy(Wait.forLogMessage(options.ready))
    .withStartupTimeout(startTimeoutMs)
    .start()
  let started: StartedTestContainer
  try {
    started = await starting
  } catch (error) {
    // What may be left of it is the leash's to remove.
    tie.pull()
    throw new Error(`The container of ${redisImage()} did not start: ${log}`, { cause: error })
  }
  return {
    host: started.getHost(),
    port: (inside) => started.getMappedPort(inside),
    async stop() {
      await started.stop()
      tie.release()
    },
  }
}

/** Clients come from outside the container, which protected mode would not let in. */
export const containerArgs = ['--protected-mode', 'no', '--save', '', '--appendonly', 'no']

/** Starts one Redis server in a container, without persistence, given these arguments too. */
export async function startRedisContainer(
  args: readonly string[] = [],
): Promise<{ url: string; stop(): Promise<void> }> {
  const { host, port, stop } = await startContainer({
    script: 'exec "$REDIS_SERVER" "$@"',
    args: [...containerArgs, ...args, '--port', '6379'],
    ports: [6379],
    ready: /Ready to accept connections/,
  })
  return { url: `redis://${host}:${port(6379)}`, stop }
}
