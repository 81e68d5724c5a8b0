/** Nanoseconds of each unit of a Go duration; both letters for micro. */
const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

const unit = 'ns|us|µs|μs|ms|s|m|h'
const whole = new RegExp(String.raw`^(?:(?:\d+\.?\d*|\.\d+)(?:${unit}))+$`)
const part = new RegExp(String.raw`(\d+\.?\d*|\.\d+)(${unit})`, 'g')

/**
 * Milliseconds of a duration as Go writes it (time.ParseDuration), the form of the care hub's triggers: "12h", "30s",
 * "1h30m", "1.5h", "500ms". Undefined for anything else, also for a negative one and a bare number other than 0.
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim()
  if (trimmed === '0') return 0
  if (!whole.test(trimmed)) return undefined
  let sum = 0
  for (const [, number, name] of trimmed.matchAll(part)) sum += Number(number) * nanoseconds[name ?? '']!
  const ms = sum / 1e6
  return Number.isFinite(ms) ? ms : undefined
}
