import { existsSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Between 50 and 600 ms, spread over the rounds by the golden ratio; the scheduler adds the true chance. */
export const delayMs = (round: number): number => 50 + 550 * ((round * 0.618_033_988_75) % 1)

/** Resolves when each of the files has something new in it. */
export async function untilGrown(files: readonly string[], limitMs = 20_000): Promise<void> {
  const size = (file: string): number => (existsSync(file) ? statSync(file).size : 0)
  const before = files.map(size)
  const end = performance.now() + limitMs
  while (files.some((file, i) => size(file) <= before[i]!)) {
    if (performance.now() > end) throw new Error(`nothing was acknowledged in ${limitMs} ms`)
    await sleep(2)
  }
}
