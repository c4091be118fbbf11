import { prepareContainers } from '@idem/testing'
import { redisTests } from './redis-tests.js'

/** Before the first test in a container: asks for the engine and the image, and says what is not run here. */
export default async function setup(): Promise<void> {
  await prepareContainers().catch((error: Error) => {
    // Printed as one sentence: if it were thrown, the test runner would add a page of its own stack.
    process.stderr.write(`\n${error.message}\n`)
    process.exit(1)
  })
  for (const { folder, file, elsewhere } of redisTests()) {
    if (elsewhere) process.stdout.write(`Not in a container: ${folder}/${file}, which ${elsewhere}.\n`)
  }
}
