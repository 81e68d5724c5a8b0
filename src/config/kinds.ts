import { z } from 'zod'

/** Kinds of values that several keys of the configuration have. */

export const count = (min: number, max: number, fallback: number) =>
  z.int().min(min).max(max).default(fallback)
export const text = (characters: number) => z.string().min(1).max(characters)
export const id = text(64).regex(/^\P{Cc}+$/u, 'text without control characters')
export const port = (fallback: number) => count(0, 65_535, fallback)
export const kib = 1024
export const mib = 1024 * kib
