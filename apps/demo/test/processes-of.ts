import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Every living process of the machine. A process that has ended and was not waited for is a zombie, and left out. */
async function processes(): Promise<{ pid: number; parent: number }[]> {
  const { stdout } = await promisify(execFile)('ps', ['-e', '-o', 'pid=,ppid=,stat='])
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state = '']) => !state.startsWith('Z'))
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }))
}

/** Those of these processes that still live. */
export async function aliveOf(pids: readonly number[]): Promise<number[]> {
  return (await processes()).map(({ pid }) => pid).filter((pid) => pids.includes(pid))
}

/** The pids of all descendants of a process. */
export async function processesOf(pid: number): Promise<number[]> {
  const all = await processes()
  const childrenOf = (of: number): number[] =>
    all.filter(({ parent }) => parent === of).flatMap(({ pid }) => [pid, ...childrenOf(pid)])
  return childrenOf(pid)
}
