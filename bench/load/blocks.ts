import { median, round } from '../report.ts'

/** What was measured in turn. `calm` has one more than `disturbed`. */
export interface Blocks<Result> {
  readonly calm: readonly Result[]
  readonly disturbed: readonly Result[]
}

/**
 * The same work in blocks, disturbed ones between undisturbed ones: what else the machine does meanwhile hits both
 * alike, where one long run of each would compare two different hours of the machine.
 */
export async function inBlocks<Result>(
  rounds: number,
  calm: () => Promise<Result>,
  disturbed: () => Promise<Result>,
): Promise<Blocks<Result>> {
  const blocks = { calm: [await calm()], disturbed: [] as Result[] }
  for (let i = 0; i < rounds; i++) {
    blocks.disturbed.push(await disturbed())
    blocks.calm.push(await calm())
  }
  return blocks
}

/**
 * How many times as long it takes while disturbed: the median of the ratios of each disturbed block to the mean of its
 * two neighbours. `note` tells the ratios and, in ms, what they are made of: a machine that is busy with something else
 * shows there.
 */
export function timesAsLong<Result>(
  { calm, disturbed }: Blocks<Result>,
  msOf: (result: Result) => number,
): { readonly value: number; readonly unit: 'times'; readonly note: string } {
  const [before, during] = [calm.map(msOf), disturbed.map(msOf)]
  const ratios = during.map((ms, i) => ms / ((before[i]! + before[i + 1]!) / 2))
  const note = `a block to its neighbours ${ratios.map(round).join(', ')}; disturbed ${spread(during)}, undisturbed ${spread(before)}`
  return { value: round(median(ratios)), unit: 'times', note }
}

const spread = (ms: readonly number[]): string =>
  `${round(Math.min(...ms))} to ${round(Math.max(...ms))} ms, median ${round(median(ms))}`
