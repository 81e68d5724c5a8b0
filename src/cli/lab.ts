import type { Command } from 'commander'
import { detectCommand } from './lab-detect.ts'
import { forecastCommand } from './lab-forecast.ts'
import { learnCommand } from './lab-learn.ts'

/** Adds `lab`: learning, forecasting and detection on CSV files, offline, without a hub. */
export function labCommand(program: Command): void {
  const lab = program.command('lab').description('try learning on your own CSV files, offline, without a hub')
  learnCommand(lab)
  forecastCommand(lab)
  detectCommand(lab)
}
