import { HomeostatError } from '../core/errors.ts'
import { parseTime } from '../core/reading.ts'

/** Where the time of ECMAScript ends, 275,760 AD. */
const latestMs = 8.64e15

/** A time of a request, `name` is its parameter, as UTC ms. Throws `request_invalid`. */
export function moment(name: string, value: string | number): number {
  // a bare clock time means today in a reading, and is refused in a request
  const at = parseTime(typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value)
  if (at !== undefined && Math.abs(at) <= latestMs) return at
  throw new HomeostatError('request_invalid', {
    detail: `"${name}" is "${value}"; it takes ISO 8601 or milliseconds since 1970`,
  })
}
