import { defineConfig, type Options } from 'tsup'

const shared: Options = { target: 'node20', sourcemap: true }

export default defineConfig([
  { ...shared, entry: ['src/main.ts'], format: ['esm'] },
  // One file with everything in it: looking for the modules of one process takes as long as starting four bundled ones.
  {
    ...shared,
    entry: { worker: 'src/worker/worker.ts' },
    format: ['cjs'],
    // Errors are shown by the names of their classes.
    keepNames: true,
    noExternal: [/^@idem\//, '@anthropic-ai/sdk', 'ioredis'],
    external: ['testcontainers'],
  },
])
