#!/usr/bin/env node
// CommonJS (see package.json beside it): a module would be read by the thread pool, whose size is then fixed.
// Two readers, the writer and the upkeep of the store may each wait in one of its threads.
process.env.UV_THREADPOOL_SIZE ??= '8'

// By default the heap may grow to several times what lives in it before it is cleaned. A home's machine is small:
// half again is enough, for 100 MB less and a fifth of the rate of large HTTP batches.
require('node:v8').setFlagsFromString('--heap-growing-percent=50')

const { existsSync } = require('node:fs')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')

const cli = join(__dirname, '..', 'dist', 'cli', 'cli.js')
if (existsSync(cli)) {
  import(pathToFileURL(cli).href).then(({ run }) => run(process.argv))
} else {
  process.stderr.write(`Homeostat is not built yet. Run "npm run build" in ${join(__dirname, '..')}\n`)
  process.exitCode = 2
}
