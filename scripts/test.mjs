/**
 * Everything that must hold: types, house style, tests. Ends with one line "N passed, N failed, N skipped".
 * Arguments go to vitest.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name) => join(root, 'node_modules', '.bin', name)
const filters = process.argv.slice(2)

const checks = [
  ['types of the server', bin('tsc'), ['--noEmit', '-p', 'tsconfig.json']],
  ['types of the page', bin('tsc'), ['--noEmit', '-p', 'web/tsconfig.json']],
  ['house style', bin('biome'), ['check', '--error-on-warnings', '.']],
]

let failedChecks = 0
if (filters.length === 0) {
  for (const [name, command, args] of checks) {
    const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
    process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'} ${name}\n`)
    if (status !== 0) failedChecks++
  }
}

const folder = mkdtempSync(join(tmpdir(), 'homeostat-test-'))
const file = join(folder, 'report.json')
const { status } = spawnSync(
  bin('vitest'),
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...filters],
  { cwd: root, stdio: 'inherit' },
)
const report = readReport()
rmSync(folder, { recursive: true, force: true })

const passed = report.numPassedTests + (filters.length === 0 ? checks.length - failedChecks : 0)
const failed = report.numFailedTests + failedChecks
const skipped = report.numPendingTests + report.numTodoTests
process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`)
process.exit(status === 0 && failed === 0 ? 0 : 1)

function readReport() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    // the runner itself broke: that is a failure, not an empty success
    return { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0 }
  }
}
