/** Lengths of time in milliseconds. Civil days have 23 to 25 hours: see calendar.ts for these. */
export const secondMs = 1_000
export const minuteMs = 60 * secondMs
export const quarterMs = 15 * minuteMs
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

/** The last moment that a Date can hold, UTC ms; the first one is its negative. ECMA-262, 21.4.1.1. */
export const latestMs = 8.64e15
