import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: ['packages/*/vitest.config.ts', 'apps/*/vitest.config.ts', 'test/vitest.config.ts'],
    // Most of their time the tests wait for a lease or a server: there is no core to be left free for anything else.
    maxWorkers: '100%',
  },
})
