import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { name: 'anthropic', include: ['test/**/*.test.ts'] } })
