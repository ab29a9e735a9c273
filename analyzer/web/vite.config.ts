import { defineConfig } from 'vite';

/** The build of the dashboard; analyzer/web/build.ts runs it and compresses what it makes. */
export default defineConfig({
  root: import.meta.dirname,
  // Relative references: the page works below any path prefix that a proxy strips.
  base: './',
  publicDir: false,
  clearScreen: false,
  logLevel: 'error',
  css: { modules: { localsConvention: 'camelCaseOnly' } },
  build: {
    target: 'es2023',
    // The Content-Security-Policy allows no data: URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: true,
  },
});
