import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
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

/** ReDoc loads this picture from another host, for the line with its name: it is left empty. */
const picture = 'https://cdn.redoc.ly/redoc/logo-mini.svg'
const emptyPicture = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"

/** The script of /redoc from its package: the hub serves it itself, and nothing in it needs a network. */
const redoc: Plugin = {
  name: 'redoc',
  apply: 'build',
  generateBundle() {
    const bundle = createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js')
    const script = readFileSync(bundle, 'utf8').replaceAll(picture, emptyPicture)
    const licence = readFileSync(`${bundle}.LICENSE.txt`, 'utf8')
    this.emitFile({ type: 'asset', fileName: 'redoc/redoc.standalone.js', source: script })
    this.emitFile({ type: 'asset', fileName: 'redoc/redoc.standalone.js.LICENSE.txt', source: licence })
  },
}

export default defineConfig({
  root: import.meta.dirname,
  // relative, so that the page also works behind a proxy that serves it under a path
  base: './',
  plugins: [react(), redoc, precompressed()],
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
      '/redoc': hub,
    },
  },
})
