import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { name: 'node-redis', include: ['test/**/*.test.ts'] } })
