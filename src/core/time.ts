/** Lengths of time in milliseconds. Civil days have 23 to 25 hours: see calendar.ts for these. */
export const secondMs = 1_000
export const minuteMs = 60 * secondMs
export const quarterMs = 15 * minuteMs
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs
