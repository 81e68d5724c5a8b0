#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const cli = new URL('../dist/cli/cli.js', import.meta.url)
if (!existsSync(cli)) {
  process.stderr.write(
    `Homeostat is not built yet. Run "npm run build" in ${fileURLToPath(new URL('..', import.meta.url))}\n`,
  )
  process.exit(2)
}
const { run } = await import(cli.href)
await run(process.argv)
