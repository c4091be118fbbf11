import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { within } from '../shared/within.js'

/** The oldest Redis that idem can use. */
const MAJOR = 7

/** How long a Redis may take to answer before it counts as gone, ms. */
export const ANSWER_MS = 3_000

/** @throws an Error with a sentence that says what to do, unless there is a Redis at this URL that can be used */
export async function assertUsable(url: string): Promise<void> {
  if (!/^redis:\/\/./.test(url) || !URL.canParse(url))
    // An invalid URL may hold a password anywhere, so it is not repeated.
    throw new Error('REDIS_URL must be like redis://127.0.0.1:6379')
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
  const failed = new Promise<never>((_, reject) => client.on('error', reject))
  try {
    const answers = client.connect().then(() => client.info('server'))
    const info = await within(
      ANSWER_MS,
      Promise.race([answers, failed]),
      () => new Error(`no answer within ${ANSWER_MS / 1_000} s`),
    )
    const version = /^redis_version:(\S+)/m.exec(info)?.[1]
    if (!isNewEnough(version)) throw new Error(`it is version ${version}, and idem needs ${MAJOR} or newer`)
  } catch (error) {
    const reason = error instanceof Error ? error.message : error
    throw new Error(`Cannot use the Redis at ${shownUrl(url)}: ${reason}. Mend REDIS_URL, or unset it.`)
  } finally {
    client.disconnect()
  }
}

/** Whether there is a `redis-server` on the PATH, of a version that idem can use. */
export async function canStartRedis(): Promise<boolean> {
  return promisify(execFile)('redis-server', ['--version']).then(
    ({ stdout }) => isNewEnough(/\bv=(\S+)/.exec(stdout)?.[1]),
    () => false,
  )
}

function isNewEnough(version: string | undefined): boolean {
  // A server that does not tell its version is tried.
  return version === undefined || Number.parseInt(version, 10) >= MAJOR
}

/** The host alone: other parts of the URL may hold a password. */
export function shownUrl(url: string): string {
  const { host, pathname } = new URL(url)
  return `redis://${host}${pathname}`
}
