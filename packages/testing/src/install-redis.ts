import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** True when a command of this name can be started from the PATH. */
export async function isInstalled(command: string): Promise<boolean> {
  return run(command, ['--version']).then(
    () => true,
    () => false,
  )
}

/** True when {@link installRedis} can work: root on a Debian or Ubuntu machine. */
export async function canInstallRedis(): Promise<boolean> {
  return process.getuid?.() === 0 && (await isInstalled('apt-get')) && (await isInstalled('flock'))
}

/** The second of two processes finds the first one's work done and does nothing. */
const script = `command -v redis-server >/dev/null || {
  apt-get update -qq &&
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 redis-server
}`

/**
 * Installs Debian's `redis-server` and says so in one line on stderr. Safe to call from several
 * processes at once: the kernel's file lock lets one in, and is free again if that one dies.
 */
export async function installRedis(): Promise<void> {
  process.stderr.write('Installing redis-server with apt-get, because the tests need a real Redis …\n')
  await run('flock', [join(tmpdir(), 'idem-install-redis.lock'), 'sh', '-c', script], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 64 * 1024 * 1024,
  })
}
