import { defineConfig, type Options } from 'tsup'

const shared: Options = { target: 'node20', sourcemap: true }

export default defineConfig([
  { ...shared, entry: ['src/main.ts'], format: ['esm'] },
  // In one file with all it needs: four processes start in the time that one would take to look for its modules.
  {
    ...shared,
    entry: ['src/worker.ts'],
    format: ['cjs'],
    // Errors are shown by the names of their classes.
    keepNames: true,
    noExternal: [/^@idem\//, '@anthropic-ai/sdk', 'ioredis'],
    external: ['testcontainers'],
  },
])
