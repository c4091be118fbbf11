import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { name: '__name__', include: ['test/**/*.test.ts'], testTimeout: 30_000 } })
