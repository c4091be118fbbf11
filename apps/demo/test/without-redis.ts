import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A directory of this checkout, the same each time: nothing is left elsewhere, however a test ends. */
const PATH = fileURLToPath(new URL('../node_modules/.path-without-redis/', import.meta.url))

/** The environment of a machine with Node and a shell, and without redis-server. */
export async function withoutRedis(): Promise<{ PATH: string }> {
  await mkdir(PATH, { recursive: true })
  await symlink('/bin/sh', join(PATH, 'sh')).catch((error) => {
    if (error.code !== 'EEXIST') throw error
  })
  return { PATH }
}
