import type { ModelEvent, Report } from '../api/types.ts'

/** Version under which the naive forecast is kept. */
const naiveVersion = 'naive'

/** Fewer known hours than a day has show neither night nor noon. */
export const hoursToTell = 24

/** Below this population stability index nothing has moved. */
const movedPsi = 0.1
const worstShown = 3

/** Time for which one version was live. */
export interface Period {
  readonly version: string
  readonly naive: boolean
  readonly from: number
  /** undefined: it is live now. */
  readonly to: number | undefined
  /** Why it began, and who decided. */
  readonly reason: string
  readonly by: string
}

/**
 * What was live when, newest first, from the events of one target (newest first). If the live version lost its
 * status and none took it at that moment, the naive forecast was live.
 */
export function livePeriods(events: readonly ModelEvent[]): Period[] {
  const periods: Period[] = []
  let open: Omit<Period, 'to'> | undefined
  const begin = (next: Omit<Period, 'to'>) => {
    // live for no time at all is not live
    if (open && open.from < next.from) periods.unshift({ ...open, to: next.from })
    open = next
  }
  for (const { version, at, status, reason, by } of events.toReversed()) {
    if (status === 'live' && version !== open?.version) {
      begin({ version, naive: version === naiveVersion, from: at, reason, by })
    } else if (status !== 'live' && version === open?.version) {
      begin({ version: naiveVersion, naive: true, from: at, reason, by })
    }
  }
  return open ? [{ ...open, to: undefined }, ...periods] : periods
}

/** The report of a version. */
export const reportOf = (version: string, reports: readonly Report[]): Report | undefined =>
  reports.find((report) => report.version === version)

/** The deciding measure by lead time, of the version and the naive forecast; null if nothing is known. */
export function errorsByLead(report: Report): {
  hours: number[]
  own: (number | null)[]
  naive: (number | null)[]
} {
  const { leads, decidedBy } = report
  return {
    hours: leads.map(({ lead }) => lead),
    own: leads.map(({ scores }) => scores[decidedBy] ?? null),
    naive: leads.map(({ baseline }) => baseline[decidedBy] ?? null),
  }
}

/** The inputs that have moved most from what was learnt from, at most three. */
export const movedInputs = ({ inputPsi }: Report): readonly { name: string; psi: number; usual: number }[] =>
  (inputPsi?.worst ?? []).filter(({ beyondUsual }) => beyondUsual >= movedPsi).slice(0, worstShown)

/** Whether its errors lie elsewhere than when it was judged. */
export const errorsMoved = ({ residualPsi }: Report): boolean =>
  residualPsi !== null && residualPsi >= movedPsi

/** A mean error in words. */
export const biasWord = (bias: number): string => (bias > 0 ? 'too high' : bias < 0 ? 'too low' : 'even')

const deciders: Readonly<Record<string, string>> = {
  gate: 'the gate',
  guard: 'the guard',
  shadow: 'the trial in shadow',
  registry: 'the state of the files',
  schedule: 'the schedule',
  start: 'the start of the hub',
  'this machine': 'someone at this machine',
}

/** Who decided or wanted something, inside a sentence: a part of the hub, or the name of a key. */
export const deciderText = (by: string): string => deciders[by] ?? by
