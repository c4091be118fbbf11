import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/** Ties the life of a child process to the life of this one. */
export interface Leash {
  /** Ends the tie without touching the child. Call it once the child is known to have exited. */
  release(): void
}

/** `read` returns when the pipe closes, which the kernel does however this process ends. */
const script = 'read -r _; kill -KILL "$1" 2>/dev/null; [ -z "$2" ] || rm -rf "$2"'

/**
 * Guarantees that `pid` is killed, and `directory` removed, when this process ends in any way,
 * SIGKILL included: an exit handler would not run then, so a tiny shell watches a pipe instead.
 * Needs a POSIX `sh`.
 */
export function leash(pid: number, directory = ''): Leash {
  const watcher = spawn('sh', ['-c', script, 'leash', String(pid), directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // A process group of its own: Ctrl-C in the terminal must not take the watcher first.
    detached: true,
  })
  watcher.unref()
  const pipe = watcher.stdin as unknown as Socket
  pipe.unref()
  // The watcher being gone already is what release() wants; a late EPIPE is no news.
  pipe.on('error', () => {})
  return { release: () => void watcher.kill('SIGKILL') }
}
