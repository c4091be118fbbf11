import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Every process of the machine that is alive: what is dead and not yet buried is a zombie. */
async function processes(): Promise<{ pid: number; parent: number }[]> {
  const { stdout } = await promisify(execFile)('ps', ['-e', '-o', 'pid=,ppid=,stat='])
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state = '']) => !state.startsWith('Z'))
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }))
}

/** Those of them that are still there. */
export async function aliveOf(pids: readonly number[]): Promise<number[]> {
  return (await processes()).map(({ pid }) => pid).filter((pid) => pids.includes(pid))
}

/** The pids of all that a process has started, and of what those have. */
export async function processesOf(pid: number): Promise<number[]> {
  const all = await processes()
  const childrenOf = (of: number): number[] =>
    all.filter(({ parent }) => parent === of).flatMap(({ pid }) => [pid, ...childrenOf(pid)])
  return childrenOf(pid)
}
