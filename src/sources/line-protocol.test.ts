import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LineCache, type LineField, type LinePoint, LineReader } from './line-protocol.ts'
import { nanosecondsOf, nanosOf } from './line-protocol-time.ts'

function read(text: string | Buffer, precision = 'ns', cache?: LineCache) {
  const reader = new LineReader(Buffer.from(text), nanosOf(precision) ?? Number.NaN, cache)
  const points: LinePoint[] = []
  const faults: { readonly line: number; readonly reason: string; readonly text: string }[] = []
  for (let entry = reader.next(); entry; entry = reader.next()) {
    if (entry.kind === 'point') points.push(entry)
    else faults.push({ line: entry.line, reason: entry.reason, text: entry.text })
  }
  return { points, faults }
}

/** Measurement, tags, fields and nanoseconds of a text that must be one point. */
function onePoint(text: string, precision?: string) {
  const { points, faults } = read(text, precision)
  expect([text, faults, points.length]).toEqual([text, [], 1])
  const { head, fields, time } = points[0]!
  return {
    measurement: head.measurement,
    tags: head.tags.map(({ key, value }) => [key, value]),
    fields: fields.map(({ key, value }) => [key, value]),
    time: time && nanosecondsOf(time),
  }
}

const fieldOf = (text: string): LineField | undefined => read(`m f=${text}`).points[0]?.fields[0]
const reasonOf = (text: string): string | undefined => read(text).faults[0]?.reason

const values: readonly (readonly [string, LineField['kind'], LineField['value']])[] = [
  ['1', 'float', 1],
  ['-1.50', 'float', -1.5],
  ['.5', 'float', 0.5],
  ['5.', 'float', 5],
  ['-.5e-3', 'float', -0.0005],
  ['1E+5', 'float', 100_000],
  ['007', 'float', 7],
  ['0.1234567890123456789', 'float', 0.12345678901234568],
  ['123456789012345678901234567890', 'float', 1.2345678901234568e29],
  ['2.5e-324', 'float', 5e-324],
  ['1e-400', 'float', 0],
  ['1_000.5', 'float', 1000.5],
  ['0x1.8p1', 'float', 3],
  ['-0X_Fp-1', 'float', -7.5],
  ['0x1p-1074', 'float', 5e-324],
  ['0x1.00000000000008p0', 'float', 1],
  ['0x1.000000000000081p0', 'float', 1.0000000000000002],
  ['-7i', 'integer', -7],
  ['-0i', 'integer', 0],
  ['007i', 'integer', 7],
  ['9007199254740993i', 'integer', 9007199254740993n],
  ['-9223372036854775808i', 'integer', -9223372036854775808n],
  ['7u', 'unsigned', 7],
  ['18446744073709551615u', 'unsigned', 18446744073709551615n],
  ['""', 'string', ''],
  ['"a,b=c d"', 'string', 'a,b=c d'],
  ['"a\\"b\\\\"', 'string', 'a"b\\'],
  ['"a\\nb\\tc\\q"', 'string', 'a\nb\tc\\q'],
  ['"line\nend\r\n"', 'string', 'line\nend\r\n'],
  ['"Küche"', 'string', 'Küche'],
]

describe('line protocol', () => {
  test('reader: takes measurement, tags, fields and time apart', () => {
    expect(onePoint('cpu,host=a,core=0 idle=97.5,busy=2i,on=t,note="x y" 1700000000000000001')).toEqual({
      measurement: 'cpu',
      tags: [
        ['host', 'a'],
        ['core', '0'],
      ],
      fields: [
        ['idle', 97.5],
        ['busy', 2],
        ['on', true],
        ['note', 'x y'],
      ],
      time: 1700000000000000001n,
    })
  })

  test.each([
    ['a\\,b\\ c=d f=1', 'a,b c=d', [], 'f'],
    ['m\\=n f=1', 'm\\=n', [], 'f'],
    ['m,k\\,\\=\\ x=v\\,\\=\\ y f=1', 'm', [['k,= x', 'v,= y']], 'f'],
    ['m f\\,\\=\\ x=1', 'm', [], 'f,= x'],
    ['m\\a,k\\b=v\\c f\\d=1', 'm\\a', [['k\\b', 'v\\c']], 'f\\d'],
    ['m\\\\,k=v f=1', 'm\\,k=v', [], 'f'],
    ['m\\\\x f=1', 'm\\\\x', [], 'f'],
    ['"m",#k="v" "f"=1', '"m"', [['#k', '"v"']], '"f"'],
    ['Wärme,Ort=Küche °C=1', 'Wärme', [['Ort', 'Küche']], '°C'],
    ['m=n,k=日本 f=1', 'm=n', [['k', '日本']], 'f'],
  ])('reader: names of %s', (text, measurement, tags, key) => {
    expect(onePoint(text)).toMatchObject({ measurement, tags, fields: [[key, 1]] })
  })

  test.each(['t', 'T', 'true', 'True', 'TRUE', 'f', 'F', 'false', 'False', 'FALSE'])(
    'reader: %s is a boolean',
    (text) => {
      expect(fieldOf(text)).toEqual({ key: 'f', kind: 'boolean', value: /t$|^tr/i.test(text) })
    },
  )

  test.each(values)('reader: %s is a value', (text, kind, value) => {
    expect(fieldOf(text)).toEqual({ key: 'f', kind, value })
  })

  test.each([
    ...[
      'nan',
      'NaN',
      'inf',
      '-inf',
      '+1',
      '--1',
      '1.2.3',
      '1e',
      'e5',
      '.',
      '-',
      '1__0',
      '1_',
      '0x1',
      '0x.p1',
      '1e400',
    ],
    ...[
      '1.0i',
      '1ii',
      'i',
      '9223372036854775808i',
      '-1u',
      '18446744073709551616u',
      '1_0i',
      '0x1i',
      '1f',
      '1"',
    ],
  ])('reader: refuses %s as a number', (text) => {
    expect(read(`m f=${text} 1`)).toEqual({
      points: [],
      faults: [{ line: 1, reason: 'invalid number', text: `m f=${text} 1` }],
    })
  })

  test.each([
    ['m', 'missing fields'],
    ['m,a=b', 'missing fields'],
    ['m ', 'missing field key'],
    ['m =1', 'missing field key'],
    ['m f', 'missing field value'],
    ['m f=', 'missing field value'],
    ['m f=,g=1', 'missing field value'],
    ['m f=1,', 'missing field key'],
    ['m f=1,,g=1', 'missing field key'],
    ['m f= 1', 'missing field value'],
    [',a=b f=1', 'missing measurement'],
    ['\tm f=1', 'missing measurement'],
    ['m, f=1', 'missing tag key'],
    ['m,=b f=1', 'missing tag key'],
    ['m,a f=1', 'missing tag value'],
    ['m,a= f=1', 'missing tag value'],
    ['m,a=b, f=1', 'missing tag key'],
    ['m,a=b=c f=1', 'invalid tag format'],
    ['m,a=1,b=2,a=3 f=1', 'duplicate tags'],
    ['m\t f=1', 'invalid character in measurement or tags'],
    ['m f=tru', 'invalid boolean'],
    ['m f="x', 'unbalanced quotes'],
    ['m f="x\\"', 'unbalanced quotes'],
    ['m f="x"y', 'invalid field format'],
    ['m f=1 x', 'bad timestamp'],
    ['m f=1 1.5', 'bad timestamp'],
    ['m f=1 -', 'bad timestamp'],
    ['m f=1 1-2', 'bad timestamp'],
    ['m f=1 1 2', 'bad timestamp'],
    ['m f=1 9223372036854775808', 'bad timestamp'],
    ['m f=1\rm f=2', 'bad timestamp'],
    ['#a\tb', 'invalid character in a comment'],
  ])('reader: %j is refused', (text, reason) => {
    expect(reasonOf(text)).toBe(reason)
  })

  test('reader: refuses bytes that are not UTF-8, wherever they are', () => {
    for (const at of ['m\xff f=1', 'm,\xffa=b f=1', 'm,a=\xff f=1', 'm \xff=1', 'm f="\xff"']) {
      expect(read(Buffer.from(at, 'latin1')).faults).toHaveLength(1)
    }
  })

  test('reader: skips blank lines and comments, and takes every end of a line', () => {
    const { points, faults } = read('\n  \n# no, point=1\r\n  #\nm f=1\r\n\r\n m f=2 5  \nm f=3 \r\nm f=4\r')
    expect(faults).toEqual([])
    expect(points.map(({ line, fields }) => [line, fields[0]?.value])).toEqual([
      [5, 1],
      [7, 2],
      [8, 3],
      [9, 4],
    ])
  })

  test('reader: goes on after a bad line, and counts lines through texts of several', () => {
    const { points, faults } = read('m f=1\nbad\nm t="a\n\nb",f=2\nm f=x\nm,a=1,a=2 t="\n",f=1\nm f=3')
    expect(points.map(({ line }) => line)).toEqual([1, 3, 9])
    expect(faults).toEqual([
      { line: 2, reason: 'missing fields', text: 'bad' },
      { line: 6, reason: 'invalid number', text: 'm f=x' },
      { line: 7, reason: 'duplicate tags', text: 'm,a=1,a=2 t="\n",f=1' },
    ])
  })

  test('reader: shows the beginning of a long bad line', () => {
    expect(read(`${'x'.repeat(5000)}\nm f=1`)).toMatchObject({
      points: [{}],
      faults: [{ text: 'x'.repeat(1024) }],
    })
  })

  test.each([
    ['ns', '1700000000123456789', 1700000000123456789n],
    ['n', '-1', -1n],
    ['ns', '-9223372036854775808', -9223372036854775808n],
    ['ns', '0000000000000000000000012', 12n],
    ['us', '1700000000123456', 1700000000123456000n],
    ['u', '-1500', -1500000n],
    ['ms', '1700000000123', 1700000000123000000n],
    ['s', '-1', -1000000000n],
    ['m', '28333333', 1699999980000000000n],
    ['h', '472222', 1699999200000000000n],
  ])('reader: a time in %s: %s', (precision, text, time) => {
    expect(onePoint(`m f=1 ${text}`, precision).time).toBe(time)
  })

  test.each([
    ['us', '9223372036854776'],
    ['ms', '9223372036855'],
    ['s', '9223372037'],
    ['m', '153722868'],
    ['h', '-2562048'],
  ])('reader: a time in %s beyond 64-bit nanoseconds is refused: %s', (precision, text) => {
    expect(read(`m f=1 ${text}`, precision).faults).toMatchObject([{ reason: 'bad timestamp' }])
  })

  test('reader: the same heads and keys are found again, whatever else is in the cache', () => {
    const cache = new LineCache()
    const lines = Array.from(
      { length: 40_000 },
      (_, index) => `m${index % 20_000},t=${index % 7} f${index % 99}=1`,
    )
    const { points, faults } = read(lines.join('\n'), 'ns', cache)
    expect(faults).toEqual([])
    const again = points.map(
      ({ head, fields }) => `${head.measurement},t=${head.tags[0]?.value} ${fields[0]?.key}=1`,
    )
    expect(again).toEqual(lines)
  })

  test('reader: takes time in proportion to the length, also where no line has a blank', () => {
    // looking for a blank from each line to the end would take some 10^10 steps
    const { points, faults } = read('m\n'.repeat(1 << 18))
    expect([points.length, faults.length]).toEqual([0, 1 << 18])
  })
})

/** A plain writer of line protocol, to read back. */
const written = (point: Point, precision: 'ns' | 'ms'): string => {
  const key = (text: string): string => text.replace(/[,= ]/g, '\\$&')
  const tags = point.tags.map(([name, value]) => `,${key(name)}=${key(value)}`).join('')
  const fields = point.fields.map(([name, value]) => `${key(name)}=${valueText(value)}`).join(',')
  const time = precision === 'ns' ? point.time : point.time / 1_000_000n
  return `${point.measurement.replace(/[, ]/g, '\\$&')}${tags} ${fields} ${time}`
}

function valueText(value: Point['fields'][number][1]): string {
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`
  return typeof value === 'bigint' ? `${value}i` : String(value)
}

interface Point {
  readonly measurement: string
  readonly tags: readonly (readonly [string, string])[]
  readonly fields: readonly (readonly [string, number | bigint | boolean | string])[]
  readonly time: bigint
}

/** A name of any characters but control characters; a backslash at its end, or before a separator, would escape that. */
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter((text) => !/[\p{Cc}\p{Cs}]|\\$|\\[,= ]/u.test(text))
const point: fc.Arbitrary<Point> = fc.record({
  measurement: name.filter((text) => !text.startsWith('#')),
  tags: fc.uniqueArray(fc.tuple(name, name), { maxLength: 4, selector: ([key]) => key }),
  fields: fc.array(
    fc.tuple(
      name,
      fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.boolean(),
        fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\\')),
        fc.constantFrom('a\nb', '\\', 'x\\', '"', 'C:\\\\temp'),
      ),
    ),
    { minLength: 1, maxLength: 4 },
  ),
  time: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
})

/** `npm run test:soak` sets it. */
const runs = Number(process.env['SOAK_CASES'] ?? 3000)

test('reader: reads back what a plain writer wrote, between bad lines and comments', () => {
  const cache = new LineCache()
  const property = fc.property(
    fc.array(point, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('\n', '\r\n', '\n\n# a comment\n', '\nbad line\n'),
    (points, separator) => {
      const { points: got } = read(points.map((one) => written(one, 'ns')).join(separator), 'ns', cache)
      const plain = got.map(({ head, fields, time }) => ({
        measurement: head.measurement,
        tags: head.tags.map(({ key, value }) => [key, value]),
        fields: fields.map(({ key, kind, value }) => [key, kind === 'integer' ? BigInt(value) : value]),
        time: time && nanosecondsOf(time),
      }))
      // -0 is written as 0
      const expected = points.map((one) => ({
        ...one,
        fields: one.fields.map(([key, value]) => [key, value === 0 ? 0 : value]),
      }))
      expect(plain).toEqual(expected)
    },
  )
  fc.assert(property, { numRuns: runs })
}, 600_000)
