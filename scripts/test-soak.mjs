/** Tests that take long because they try many cases: arguments go to vitest. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const files =
  process.argv.length > 2
    ? process.argv.slice(2)
    : ['test/crash/damage.test.ts', 'src/sources/line-protocol.test.ts']
const { status } = spawnSync(join(root, 'node_modules', '.bin', 'vitest'), ['run', ...files], {
  cwd: root,
  stdio: 'inherit',
  env: { DAMAGE_SEEDS: '200', SOAK_CASES: '100000', ...process.env },
})
process.exit(status ?? 1)
