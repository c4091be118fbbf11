import { defineConfig } from 'vitest/config'
import { redisTests } from './test/redis-tests.js'

// The processes that run the tests inherit it.
process.env.IDEM_TEST_REDIS = 'container'

const files = redisTests().filter(({ elsewhere }) => !elsewhere)
const folders = [...new Set(files.map(({ folder }) => folder))]

export default defineConfig({
  test: {
    globalSetup: 'test/prepare-containers.ts',
    maxWorkers: '100%',
    projects: folders.map((folder) => ({
      root: folder,
      test: {
        name: folder,
        include: files.filter((one) => one.folder === folder).map(({ file }) => file),
        // A container takes longer to start than a process.
        hookTimeout: 60_000,
        testTimeout: 30_000,
      },
    })),
  },
})
