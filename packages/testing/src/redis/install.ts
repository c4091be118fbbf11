import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** True when a command of this name can be started from the PATH. */
async function isInstalled(command: string): Promise<boolean> {
  return run(command, ['--version']).then(
    () => true,
    () => false,
  )
}

/**
 * Makes sure that a command can be started from the PATH: as root on Debian or Ubuntu the package of its name is
 * installed where it is missing, and one line on stderr says so and `why`. Safe to call from several processes at once:
 * the kernel's file lock lets one in, and is free again if that one dies; the second finds the first one's work done.
 * @throws an Error with `advice`, a sentence, where it is missing and cannot be installed
 */
export async function ensureInstalled(
  command: string,
  { why, advice }: { why: string; advice: string },
): Promise<void> {
  if (await isInstalled(command)) return
  if (!(await canInstall())) throw new Error(advice)
  process.stderr.write(`Installing ${command} with apt-get, because ${why} …\n`)
  const script = `command -v "$1" >/dev/null || {
    apt-get update -qq &&
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "$1"
  }`
  const lock = join(tmpdir(), `idem-install-${command}.lock`)
  await run('flock', [lock, 'sh', '-c', script, 'install', command], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 64 * 1024 * 1024,
  })
}

/**
 * The same for `redis-server`.
 * @param otherwise what else somebody can do, after "or"
 */
export function ensureRedisServer(otherwise?: string): Promise<void> {
  return ensureInstalled('redis-server', {
    why: 'the tests need a real Redis',
    advice:
      'The tests need a real Redis: install redis-server 7 or newer (for example "apt-get install redis-server" ' +
      `or "brew install redis")${otherwise ? `, or ${otherwise}` : ''}.`,
  })
}

async function canInstall(): Promise<boolean> {
  return process.getuid?.() === 0 && (await isInstalled('apt-get')) && (await isInstalled('flock'))
}
