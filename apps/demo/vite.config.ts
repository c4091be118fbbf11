import { defineConfig } from 'vite'

/** The page, beside the server that serves it. Everything it needs is in it: no CDN, no font from elsewhere. */
export default defineConfig({
  root: 'page',
  // Relative, so that it also works behind a path of a proxy.
  base: './',
  build: { outDir: '../dist/page', emptyOutDir: true },
})
