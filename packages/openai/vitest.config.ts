import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { name: 'openai', include: ['test/**/*.test.ts'] } })
