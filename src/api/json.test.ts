import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonScan, levelsMax, parseScanned } from './json.ts'

/** The scan in pieces of any length, and the parser in chunks, held against JSON.parse. */

const parse = async (text: string, pieceBytes = 7, valuesMax = 1e6): Promise<unknown> => {
  const body = Buffer.from(text)
  const scan = new JsonScan(valuesMax)
  for (let from = 0; from < body.length; from += pieceBytes) scan.add(body.subarray(from, from + pieceBytes))
  return parseScanned(body, scan, async () => undefined)
}

const rows = (count: number): unknown[] =>
  Array.from({ length: count }, (_, index) => ({
    device: `d"\\${index}`,
    value: [index, { x: '],}' }],
    on: null,
  }))

describe('parseScanned', () => {
  it('gives what JSON.parse gives, for any document cut into pieces of any length', async () => {
    const pieces = fc.integer({ min: 1, max: 50 })
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 6 }), pieces, async (text, pieceBytes) => {
        expect(await parse(text, pieceBytes)).toEqual(JSON.parse(text))
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['a list', rows(9000)],
    ['readings', { site: 'home', readings: rows(9000), after: [1, 2] }],
    ['columns', { at: Array(30_000).fill(5), value: Array(30_000).fill(-1.5e-3), empty: [] }],
    ['lists of lists', Array(9000).fill([[], [[1]], {}])],
  ])('gives what JSON.parse gives, for %s of many chunks', async (_, document) => {
    const text = JSON.stringify(document, null, 1)
    expect(await parse(text, 65_536)).toEqual(JSON.parse(text))
  })

  it.each([
    '{"a":[1],"a":[2]}',
    '{"a":[1],"a":2}',
    '{"a":2,"a":[1]}',
    '{"\\u0061":[1],"b":"]"}',
    '{"__proto__":[1],"constructor":[2]}',
    ' [ ] ',
    '[[]]',
    '"["',
    '{"[":"]","a":{"b":[1,2]}}',
  ])('gives what JSON.parse gives: %s', async (text) => {
    expect(await parse(text)).toEqual(JSON.parse(text))
    expect(Object.keys((await parse(text)) as object)).toEqual(Object.keys(JSON.parse(text)))
  })

  const many = '5,'.repeat(10_000)
  it.each([
    ...['', '[', ']', '[1}', '{"a":[1}', '[1,]', '[,1]', '[1 2]', '{"a":[1],}', '[1]]', '[1],', '{"a" [1]}'],
    ...[
      '"a',
      '["a]',
      '{[1]}',
      '[1]x',
      'x[1]',
      '{"a":[1]"b":2}',
      'nul',
      `[${many}]`,
      `[${many},5]`,
      `[,${many}5]`,
    ],
    ...[`[${many}5`, `[${many}5}`, `{"a":[${many}5]`, `[${many}5]]`, `[${many}5 5]`],
  ])('refuses what JSON.parse refuses: %.30s', async (text) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError)
    await expect(parse(text, 1000)).rejects.toThrow(SyntaxError)
  })

  it('lets other work run between chunks', async () => {
    const body = Buffer.from(JSON.stringify(Array(100_000).fill(1)))
    const scan = new JsonScan(1e6)
    scan.add(body)
    let pauses = 0
    await parseScanned(body, scan, async () => pauses++)
    expect(pauses).toBeGreaterThan(20)
  })
})

describe('JsonScan', () => {
  it('refuses depth before the document is complete, and no depth that is allowed', async () => {
    const scan = new JsonScan(1e6)
    expect(() => scan.add(Buffer.from('['.repeat(levelsMax + 1)))).toThrow(/64 levels/)
    const deep = `${'['.repeat(levelsMax)}${']'.repeat(levelsMax)}`
    expect(await parse(deep)).toEqual(JSON.parse(deep))
    expect(await parse(JSON.stringify('['.repeat(1000)))).toBe('['.repeat(1000))
  })

  it.each([
    ['values', '[],'.repeat(1001), /1000 values/],
    ['values in one element', `[[${'1,'.repeat(20_001)}`, /20000 values in one element/],
    ['values beside its lists', `{${'"a":1,'.repeat(10_001)}`, /20000 values beside its lists/],
    ['bytes in one element', `["${'x'.repeat(1_100_000)}`, /1048576 bytes in one element/],
    ['bytes beside its lists', `{"a":"${'x'.repeat(1_100_000)}`, /1048576 bytes beside its lists/],
  ])('refuses too many %s before the document is complete', (what, text, says) => {
    const scan = new JsonScan(what === 'values' ? 1000 : 1e6)
    expect(() => scan.add(Buffer.from(text))).toThrow(says)
  })
})
