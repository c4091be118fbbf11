import { rmSync } from 'node:fs'
import { mkdtemp, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The variables of a machine that has Node and a shell, and no redis-server. */
export async function withoutRedis(): Promise<{ PATH: string }> {
  const PATH = await mkdtemp(join(tmpdir(), 'idem-demo-path-'))
  process.once('exit', () => rmSync(PATH, { recursive: true, force: true }))
  await symlink('/bin/sh', join(PATH, 'sh'))
  return { PATH }
}
