import { type Problem, problem } from '../../core/errors.ts'
import { hourMs } from '../../core/time.ts'
import { type TimeSource, timeText } from './mapping.ts'
import { timesOf } from './time.ts'

export type ColumnTimes = Extract<TimeSource, { kind: 'column' }>

/** Reads the times of rows. `series` tells series apart that share the file, for the hour that autumn repeats. */
export interface RowTimes {
  readonly read: (fields: readonly string[], series: string) => number | Problem
  /** False while the reader remembers something that a later start of the program would not know. */
  readonly restartable: () => boolean
}

/** Throws RangeError for an unknown zone. */
export function rowTimes(source: ColumnTimes): RowTimes {
  const { read, restartable } = timesOf(source.format, source.zone, source.direction)
  const { hour } = source
  if (hour === undefined)
    return { read: (fields, series) => read(timeText(source, fields), series), restartable }
  return {
    restartable,
    read(fields, series) {
      const text = (fields[hour.index] ?? '').trim()
      const number = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
      // hours that are counted go on counting over a change of the clocks: days have 23 to 25 of them
      const counted = hour.first === 1
      if (!(number >= hour.first && number <= (counted ? 25 : 23)))
        return problem('at_invalid', { got: `"${text.slice(0, 60)}"` })
      const day = (fields[source.index] ?? '').trim().split(/[ T]/, 1)[0]
      const at = read(counted ? `${day} 00:00` : `${day} ${number}:00`, series)
      return typeof at === 'number' && counted ? at + (number - 1) * hourMs : at
    },
  }
}
