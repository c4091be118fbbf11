import { defineConfig } from 'vitest/config'

export default defineConfig({
  // The broken stores mostly wait for things to lapse.
  test: { name: 'conformance', include: ['test/**/*.test.ts'], maxConcurrency: 32, testTimeout: 30_000 },
})
