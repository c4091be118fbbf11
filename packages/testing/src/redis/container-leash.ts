import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

/** Ties the life of a container to the life of this process. */
export interface ContainerLeash {
  /** Ends the tie without touching the container. Call it once the container is known to be gone. */
  release(): void
  /** Removes the container now, without waiting for it. */
  pull(): void
}

/** Standard input ends when this process does. Asking the engine needs no docker command this way. */
const script = `
process.stdin.resume().on('end', async () => {
  const { getContainerRuntimeClient } = await import('testcontainers')
  const { dockerode } = (await getContainerRuntimeClient()).container
  const left = await dockerode.listContainers({ all: true, filters: { label: [process.argv[1]] } })
  await Promise.allSettled(left.map(({ Id }) => dockerode.getContainer(Id).remove({ force: true, v: true })))
})`

/**
 * Guarantees that the containers with this label are removed when this process ends in any way, SIGKILL
 * included. The reaper of testcontainers (Ryuk) is no substitute: it may be turned off, and it is shared, so
 * that it waits for the end of every process of a test run. Made before the container, so that there is no
 * moment in which nobody would remove it.
 */
export function containerLeash(label: Record<string, string>): ContainerLeash {
  const filter = Object.entries(label).map(([name, value]) => `${name}=${value}`)[0]!
  const watcher = spawn(process.execPath, ['--input-type=module', '--eval', script, filter], {
    // Where the import is looked up from.
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['pipe', 'ignore', 'ignore'],
    // A process group of its own: Ctrl-C in the terminal must not take the watcher first.
    detached: true,
  })
  watcher.unref()
  const pipe = watcher.stdin as unknown as Socket
  pipe.unref()
  // The watcher being gone already is what release() wants; a late EPIPE is no news.
  pipe.on('error', () => {})
  return { release: () => void watcher.kill('SIGKILL'), pull: () => void pipe.end() }
}
