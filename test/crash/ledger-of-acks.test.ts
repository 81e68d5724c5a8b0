import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Layout, messageOf } from '../../bench/load/spec.ts'
import { temporaryFolder } from '../servers.ts'
import { compare } from './ledger-of-acks.ts'

const layout: Layout = { prefix: 'm0-', devices: 3, baseAt: 1_700_000_000_000, prepared: 10 }
const stored = [0, 1, 2, 3].map((k) => messageOf(layout, 1, k))
const changed = { ...stored[2]!, value: stored[2]!.value + 1 }
const foreign = { ...stored[2]!, device: 'x0-1-2' }
const good = { acknowledged: 3, stored: 4, lost: 0, lostBy: {}, twice: 0, strange: 0 }
const oneLost = { ...good, stored: 3, lost: 1, lostBy: { [layout.prefix]: 1 } }

test.each([
  { name: 'all there, one more that was sent but never answered', rows: stored, is: good },
  { name: 'one missing', rows: stored.slice(1), is: oneLost },
  { name: 'one stored twice', rows: [...stored, stored[0]!], is: { ...good, stored: 5, twice: 1 } },
  {
    name: 'one with another value',
    rows: [stored[0]!, stored[1]!, changed],
    is: { ...oneLost, strange: 1 },
  },
  { name: 'one that nobody sent', rows: [...stored, foreign], is: { ...good, stored: 5, strange: 1 } },
])('the comparison sees $name', ({ rows, is }) => {
  const folder = temporaryFolder('acks')
  const ackLog = join(folder.path, 'acks')
  writeFileSync(ackLog, '1 0\n1 1\n1 2\n1 2\n')
  expect(compare([{ layout, ackLog }], rows)).toEqual(is)
  folder.remove()
})
