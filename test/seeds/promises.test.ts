import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { careHub } from './care-hub.ts'
import { missingRows } from './document.ts'
import { energy } from './energy.ts'
import { environment } from './environment.ts'
import { hypervolt } from './hypervolt.ts'
import { type GoldenTest, open, type System } from './row.ts'
import { shared } from './shared.ts'
import { smoke } from './smoke.ts'

/** What clients of the older systems were promised, and which test holds it. */

const root = fileURLToPath(new URL('../..', import.meta.url))
const systems: readonly System[] = [shared, careHub, energy, environment, hypervolt, smoke]

/** The document that the table follows; it lies beside a clone of its authors. */
const document = join(root, '../shared/SEED_APIS.md')
const without = existsSync(document) ? '' : ` (skipped: there is no ${document})`

function existsTest({ file, name }: GoldenTest): boolean {
  const path = join(root, file)
  if (!existsSync(path)) return false
  const text = readFileSync(path, 'utf8')
  return [`'${name}'`, `"${name}"`, `\`${name}\``].some((quoted) => text.includes(quoted))
}

describe.each(systems)('promises of system $name', ({ rows }) => {
  test('each is listed once', () => {
    const ids = rows.map(({ id }) => id)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  })

  test('each is open, or held by a test that exists', () => {
    const gone = rows.flatMap(({ id, test: golden }) =>
      golden === 'open' || existsTest(golden) ? [] : [`${id}: ${golden.file} has no "${golden.name}"`],
    )
    expect(gone).toEqual([])
  })
})

test('promises: how many are open', () => {
  const openOf = ({ rows }: System): number => rows.filter(({ test: golden }) => golden === 'open').length
  const counts = systems.map((system) => `${system.name} ${openOf(system)} of ${system.rows.length}`)
  const total = systems.reduce((sum, system) => sum + openOf(system), 0)
  const rows = systems.reduce((sum, system) => sum + system.rows.length, 0)
  process.stdout.write(`\nOpen promises: ${counts.join(', ')}; in total ${total} of ${rows}.\n`)
  expect(rows).toBeGreaterThan(total)
})

test.skipIf(without)(
  `promises: every route, variable and name of the document is in the table${without}`,
  () => {
    expect(missingRows(readFileSync(document, 'utf8'), systems)).toEqual([])
  },
)

test('promises: a route, variable, field or topic that the table does not have is named', () => {
  const table = [
    { name: 'shared', rows: [] },
    {
      name: 'A',
      rows: [
        open('GET /api/old', '', 'level'),
        open('/api/list/', ''),
        open('/api/list/latest/', '', 'latest/'),
        open('A_HOST', ''),
        open('topic HyperVolt/x/#', ''),
      ],
    },
  ]
  const text = [
    '# head\n\n## A. System',
    '`GET /api/old {level}`, `POST /api/old`, `DELETE /api/new {level, title}` `HyperVolt/x/#` `HyperVolt/y`',
    '- `/api/list/` `latest/?level=1`, `recent/`',
    '| `/api/a\\|b` |',
    'Env: `A_HOST/PORT B`',
  ].join('\n')
  expect(missingRows(text, table)).toEqual(
    [
      ...['A_PORT', 'B', 'POST /api/old', 'DELETE /api/new', '/api/list/recent/', '/api/a', '/api/b'],
      ...['HyperVolt/y', 'POST', 'DELETE', 'new', 'title', 'y', 'recent', 'a', 'b'],
    ].map((name) => `A: ${name}`),
  )
})
