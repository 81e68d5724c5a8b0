import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cutBlock, type Row, readBlocks } from './records.ts'

const layout = { delimiter: ',', encoding: 'utf8' } as const
const start = { offset: 0, line: 1 }

const cut = (text: string, last = true) => cutBlock(Buffer.from(text), layout, start, last)
const plain = (rows: readonly Row[]) => rows.map(({ line, fields, fault }) => [line, fields ?? fault])

describe('cutBlock', () => {
  const cases: [string, string, unknown[]][] = [
    [
      'splits plain rows',
      'a,b\n1,2\n',
      [
        [1, ['a', 'b']],
        [2, ['1', '2']],
      ],
    ],
    [
      'takes a last row without a line end',
      'a,b\n1,2',
      [
        [1, ['a', 'b']],
        [2, ['1', '2']],
      ],
    ],
    [
      'knows CRLF',
      'a,b\r\n"1",2\r\n',
      [
        [1, ['a', 'b']],
        [2, ['1', '2']],
      ],
    ],
    [
      'leaves out blank lines but counts them',
      'a\n\n \nb\n',
      [
        [1, ['a']],
        [4, ['b']],
      ],
    ],
    ['unquotes, with doubled quotes and delimiters inside', '"a,""x""",2\n', [[1, ['a,"x"', '2']]]],
    [
      'keeps a line end inside quotes',
      '"a\nb",1\n2,3\n',
      [
        [1, ['a\nb', '1']],
        [3, ['2', '3']],
      ],
    ],
    ['takes blanks around quotes', '1, "2" ,3\n', [[1, ['1', '2', '3']]]],
    [
      'loses one line to a quote that is never closed',
      '1,2\n3,"4\n5,6\n7,8\n',
      [
        [1, ['1', '2']],
        [2, 'a quote is opened and not closed'],
        [3, ['5', '6']],
        [4, ['7', '8']],
      ],
    ],
    [
      'gives back the rows that lie between two stray quotes',
      '3,4"\n5,6\n7",8\n"9",1\n',
      [
        [1, 'a quote is opened and not closed'],
        [2, ['5', '6']],
        [3, 'a quote is opened and not closed'],
        [4, ['9', '1']],
      ],
    ],
    [
      'reports quotes that do not match',
      '1,"a"b"c"\n2,3\n',
      [
        [1, 'the quotes of the row do not match'],
        [2, ['2', '3']],
      ],
    ],
  ]
  for (const [name, text, rows] of cases) {
    it(name, () => expect(plain(cut(text).rows)).toEqual(rows))
  }

  it('leaves an incomplete row, quoted or not, for the next block', () => {
    expect(cut('1,2\n3,', false)).toMatchObject({ rows: [{ line: 1 }], end: { offset: 4, line: 2 } })
    expect(cut('1,2\n"ä\n', false)).toMatchObject({ rows: [{ line: 1 }], end: { offset: 4, line: 2 } })
  })
})

describe('readBlocks', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'homeostat-csv-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('gives every row once over many blocks, and the same from any place on', async () => {
    const file = join(folder, 'large.csv')
    const lines = Array.from({ length: 60_000 }, (_, n) =>
      n % 7 === 0 ? `${n},"Lautstärke\nzwei, ${n}",x` : `${n},${'Grün'.repeat(n % 9)},y`,
    )
    await writeFile(file, `${lines.join('\n')}\n`)
    const ids: string[] = []
    const places = []
    for await (const block of readBlocks(file, layout, start)) {
      ids.push(...block.rows.map(({ fields }) => fields?.[0] ?? 'bad'))
      places.push({ at: ids.length, end: block.end })
    }
    expect(places.length).toBeGreaterThan(3)
    expect(ids).toEqual(lines.map((_, n) => String(n)))
    const { at, end } = places[1]!
    const rest: Row[] = []
    for await (const block of readBlocks(file, layout, end)) rest.push(...block.rows)
    expect(rest.map(({ fields }) => fields?.[0])).toEqual(ids.slice(at))
    expect(rest[0]!.line).toBe(end.line)
  })

  it('does not let one huge line or one open quote grow without bound', async () => {
    const file = join(folder, 'huge.csv')
    await writeFile(file, `1,2\n3,"open\n${'4,5\n'.repeat(300_000)}${'z'.repeat(900_000)}\n6,7\n`)
    const faults = new Set<number>()
    let good = 0
    let last: Row | undefined
    for await (const block of readBlocks(file, layout, start)) {
      for (const row of block.rows) {
        if (row.fault) faults.add(row.line)
        else good++
        last = row
      }
    }
    expect([...faults]).toEqual([2, 300_003])
    expect(last).toMatchObject({ line: 300_004, fields: ['6', '7'] })
    // the end of the huge line looks like a row of one field, which no header fits
    expect(good).toBe(300_003)
  })
})
