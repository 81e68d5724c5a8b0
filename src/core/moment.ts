import { HomeostatError } from './errors.ts'
import { parseTime } from './reading.ts'
import { latestMs } from './time.ts'

/** The time in the request parameter `name`, as UTC ms. Throws `request_invalid`. */
export function moment(name: string, value: string | number): number {
  // a bare clock time means today in a reading; in a request it is invalid
  const at = parseTime(typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value)
  if (at !== undefined && Math.abs(at) <= latestMs) return at
  throw new HomeostatError('request_invalid', {
    detail: `"${name}" is "${value}"; it takes ISO 8601 or milliseconds since 1970`,
  })
}
