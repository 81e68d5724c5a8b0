import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HeadOptions, readHead } from './head.ts'
import { readBlocks } from './records.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeostat-head-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function headOf(content: string | Buffer, options?: HeadOptions) {
  const file = join(folder, 'station 7.csv')
  await writeFile(file, content)
  return readHead(file, options)
}

async function firstRow(content: string | Buffer): Promise<unknown> {
  const head = await headOf(content)
  for await (const block of readBlocks(head.path, head, head.data)) return block.rows[0]
  return undefined
}

describe('readHead', () => {
  const delimiters: [string, string, string][] = [
    ['commas', ',', 'a,b,c\n1,2,3\n4,5,6\n'],
    ['semicolons before decimal commas', ';', 'a;b;c\n1,5;2,5;3,5\n4,5;5,5;6,5\n'],
    ['tabs', '\t', 'a\tb\n1\t2\n3\t4\n'],
    ['bars', '|', 'a|b\n1|2\n3|4\n'],
    ['commas that stand outside quotes', ',', '"a","b"\n"x;y;z",2\n"x;y;z",4\n'],
    ['a header that is one name short', ',', '"a","b"\n"1",2,3\n"2",4,5\n'],
  ]
  for (const [name, delimiter, text] of delimiters) {
    it(`knows ${name}`, async () => expect((await headOf(text)).delimiter).toBe(delimiter))
  }

  it('skips a byte order mark', async () => {
    const head = await headOf('\ufefftime,a\n2024-01-01,1\n')
    expect(head.columns).toEqual(['time', 'a'])
    expect(await firstRow('\ufefftime,a\n2024-01-01,1\n')).toMatchObject({
      line: 2,
      fields: ['2024-01-01', '1'],
    })
  })

  it('names the row number that the header forgot', async () => {
    const head = await headOf('"date","t"\n"1","2015-02-04",2\n"2","2015-02-05",3\n')
    expect(head.columns).toEqual(['row_number', 'date', 't'])
    expect(head.notes.join()).toContain('one name short')
    expect(await headOf(',t\n0,1\n')).toMatchObject({ columns: ['row_number', 't'] })
  })

  it('makes doubled names unique', async () => {
    expect((await headOf('t,a,a,\n1,2,3,4\n')).columns).toEqual(['t', 'a', 'a_2', 'column_4'])
  })

  it('takes a file without a header for what it is', async () => {
    const text = '2024-01-01 00:00:00,21.5\n2024-01-01 00:01:00,21.6\n'
    expect(await headOf(text)).toMatchObject({
      columns: ['column_1', 'column_2'],
      data: { offset: 0, line: 1 },
    })
  })

  it('finds the first row of data behind a header of several lines', async () => {
    expect(await firstRow('\n"a\nb",c\n1,2\n')).toMatchObject({ line: 4, fields: ['1', '2'] })
  })

  it('tells decimal commas from decimal points', async () => {
    expect((await headOf('a;b\n1,5;x\n2,5;y\n')).styles[0]).toBe(',')
    expect((await headOf('a;b\n1.5;x\n2.5;y\n')).styles[0]).toBe('.')
    expect((await headOf('a,b\n"1,5",2\n"1,6",3\n')).styles[0]).toBe(',')
    expect((await headOf('a;b\n1,5;x\n', { decimal: '.' })).styles[0]).toBe('.')
  })

  it('reads Latin-1 where the text is not UTF-8, and says so', async () => {
    const head = await headOf(Buffer.from('zeit;Lautst\xe4rke\n2024-01-01;5\n', 'latin1'))
    expect(head.columns[1]).toBe('Lautstärke')
    expect(head.notes.join()).toContain('Latin-1')
  })

  const refused: [string, string | Buffer, RegExp][] = [
    ['an empty file', '', /holds no rows/],
    ['a binary file', Buffer.from([1, 2, 0, 4]), /not a text file/],
  ]
  for (const [name, content, message] of refused) {
    it(`refuses ${name}`, async () => {
      await expect(headOf(content)).rejects.toMatchObject({
        code: 'file_unreadable',
        message: expect.stringMatching(message),
      })
    })
  }
  it('refuses what is not there, and folders', async () => {
    await expect(readHead(join(folder, 'none.csv'))).rejects.toThrow(/no such file/)
    await expect(readHead(folder)).rejects.toThrow(/folder/)
  })
})
