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

/** Medians over the blocks; `ratio`: median of the ratios of each disturbed block to the mean of its two neighbours. */
export function compareBlocks<Result>(
  { calm, disturbed }: Blocks<Result>,
  of: (result: Result) => number,
): { readonly calm: number; readonly disturbed: number; readonly ratio: number; readonly note: string } {
  const [before, during] = [calm.map(of), disturbed.map(of)]
  const [usual, value] = [median(before), median(during)]
  const ratios = during.map((one, i) => one / ((before[i]! + before[i + 1]!) / 2))
  const note = `undisturbed ${round(usual)} (${round(Math.min(...before))} to ${round(Math.max(...before))}), ratio to neighbours ${ratios.map(round).join(', ')}`
  return { calm: usual, disturbed: value, ratio: median(ratios), note }
}
