import { defineConfig } from 'tsup'

/** Every published package is built the same way: ESM and CJS with types, from one entry. */
export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  target: 'node20',
  dts: true,
  sourcemap: true,
  clean: true,
})
