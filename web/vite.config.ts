import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

// set by `npm run dev`
const hub = process.env['DEV_HUB_URL'] ?? 'http://127.0.0.1:8000'

/** Shorter files do not get shorter by compression, in packets. */
const shortestBytes = 1024

/** Writes FILE.br and FILE.gz beside each file of the page that is text, so that the hub compresses nothing itself. */
const precompressed = (): Plugin => ({
  name: 'precompressed',
  apply: 'build',
  closeBundle() {
    const folder = join(import.meta.dirname, '../dist/web')
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!/\.(js|css|html|svg|json|webmanifest)$/.test(name)) continue
      const file = join(folder, name)
      const bytes = readFileSync(file)
      if (bytes.length < shortestBytes) continue
      const params = {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      }
      writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }))
      writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
    }
  },
})

export default defineConfig({
  root: import.meta.dirname,
  // relative, so that the page also works behind a proxy that serves it under a path
  base: './',
  plugins: [react(), precompressed()],
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
