import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { name: 'ioredis', include: ['test/**/*.test.ts'] } })
