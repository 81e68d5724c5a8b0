import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// set by `npm run dev`
const hub = process.env['DEV_HUB_URL'] ?? 'http://127.0.0.1:8000'

export default defineConfig({
  root: import.meta.dirname,
  // relative, so that the page also works behind a proxy that serves it under a path
  base: './',
  plugins: [react()],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    // the page's content security policy takes no data: scripts and no inlined assets
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: {
      '/api': { target: hub, ws: true },
      '/health': hub,
      '/docs': hub,
      '/openapi.json': hub,
    },
  },
})
