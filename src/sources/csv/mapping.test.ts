import { describe, expect, it } from 'vitest'
import { columnIndex, parseColumnFlag } from './mapping.ts'

const value = (column: string, device: string | undefined, metric: string, unit?: string, factor = 1) => ({
  kind: 'value',
  column,
  metric,
  factor,
  ...(device === undefined ? {} : { device }),
  ...(unit === undefined ? {} : { unit }),
})

describe('parseColumnFlag', () => {
  const cases: [string, unknown][] = [
    ['T1=kitchen/temperature:degC', value('T1', 'kitchen', 'temperature', 'degC')],
    ['P=house/energy:kWh*0.0166667', value('P', 'house', 'energy', 'kWh', 0.0166667)],
    ['P=house/energy*2', value('P', 'house', 'energy', undefined, 2)],
    ['w=roof/wind_speed:m/s', value('w', 'roof', 'wind_speed', 'm/s')],
    ['w=wind_speed:m/s', value('w', undefined, 'wind_speed', 'm/s')],
    ['g=grid/carbon_intensity:gCO2eq/kWh', value('g', 'grid', 'carbon_intensity', 'gCO2eq/kWh')],
    ['t=aa:bb:cc/temperature:K', value('t', 'aa:bb:cc', 'temperature', 'K')],
    ['t=floor/kitchen/temperature:K', value('t', 'floor/kitchen', 'temperature', 'K')],
    ['a=b=dev/power:W', value('a=b', 'dev', 'power', 'W')],
    ['x=humidity', value('x', undefined, 'humidity')],
    ['name=@device', { kind: 'role', column: 'name', role: 'device' }],
  ]
  for (const [text, flag] of cases) {
    it(`reads ${text}`, () => expect(parseColumnFlag('f.csv', text)).toEqual(flag))
  }
  for (const text of ['', 'x', 'x=', '=a/b', 'x=@colour', 'x=a/b:c*0', 'x=a/b*two', 'x=/b']) {
    it(`refuses "${text}"`, () => expect(() => parseColumnFlag('f.csv', text)).toThrow(/f\.csv: --column/))
  }
})

describe('columnIndex', () => {
  it('prefers the exact name and forgives case', () => {
    expect(columnIndex('f', ['temp', 'Temp'], 'Temp')).toBe(1)
    expect(columnIndex('f', ['Temp'], ' temp')).toBe(0)
  })
  it('names the columns that there are', () => {
    expect(() => columnIndex('f.csv', ['a', 'b'], 'c')).toThrow('f.csv has no column "c"; it has a, b.')
  })
})
