import { prepareContainers } from '@idem/testing'
import { redisTests } from './redis-tests.js'

/** Before the first test in a container: asks for the engine and the image, and says what is not run here. */
export default async function setup(): Promise<void> {
  await prepareContainers().catch((error: Error) => {
    // One sentence says it; thrown, it would come with a page of the runner's own stack.
    process.stderr.write(`\n${error.message}\n`)
    process.exit(1)
  })
  for (const { folder, file, elsewhere } of redisTests()) {
    if (elsewhere) process.stdout.write(`Not in a container: ${folder}/${file}, which ${elsewhere}.\n`)
  }
}
