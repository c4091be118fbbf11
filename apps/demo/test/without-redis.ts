import { rmSync } from 'node:fs'
import { mkdtemp, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let path: Promise<string> | undefined

/** The variables of a machine that has Node and a shell, and no redis-server. */
export async function withoutRedis(): Promise<{ PATH: string }> {
  path ??= pathWithShell()
  return { PATH: await path }
}

async function pathWithShell(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'idem-demo-path-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  await symlink('/bin/sh', join(directory, 'sh'))
  return directory
}
