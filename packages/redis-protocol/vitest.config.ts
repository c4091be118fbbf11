import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { name: 'redis-protocol', include: ['test/**/*.test.ts'] } })
