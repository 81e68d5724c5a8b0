import { describe, expect, it } from 'vitest'
import { loadMstl } from '../../platform/augurs.ts'
import { taskOf } from '../forecast/member.ts'
import { prepare } from '../forecast/series.ts'
import { mstlMember } from './mstl.ts'

const member = mstlMember(loadMstl())
const wave = Float64Array.from({ length: 200 }, (_, at) => 0.1 * at + 5 * Math.sin((2 * Math.PI * at) / 12))

function forecast(values: Float64Array, origins: readonly number[], horizon = 24) {
  const all = [prepare({ id: 'a', values }, 12)]
  return member.fit(all, horizon)!.forecast(taskOf(all, [origins], horizon))[0]!
}

describe('MSTL as a member', () => {
  it('goes on with a trend and a season', () => {
    const [made] = forecast(wave.slice(0, 176), [176])
    const worst = made!.reduce((most, value, lead) => Math.max(most, Math.abs(value - wave[176 + lead]!)), 0)
    expect(worst).toBeLessThan(1)
  })

  it('does not look beyond its origin', () => {
    const changed = wave.map((value, at) => (at < 150 ? value : 1e6))
    expect(forecast(changed, [150])).toEqual(forecast(wave, [150]))
  })

  it('tries the newest origins only, and leaves the others unknown', () => {
    const made = forecast(wave, [100, 112, 124, 136])
    expect(made.map((one) => Number.isNaN(one[0]!))).toEqual([true, false, false, false])
  })

  it('gives a flat line for a series that never moves', () => {
    expect([...forecast(new Float64Array(60).fill(7), [60], 3)[0]!]).toEqual([7, 7, 7])
  })
})
