/**
 * Energy from a counter that others sent: with resets, zeros that never were, replaced meters, rounding that goes up and
 * down, and reports that come only when the counter has moved.
 *
 * A reading that the counter cannot have reached by counting is held back until the next ones tell what it was: a false
 * reading (the counter goes on from where it was), a reset (it counts on from near 0) or another meter (it counts on from
 * anywhere). Nothing is derived of the time in doubt until then.
 */
import { dayMs, hourMs } from '../../core/time.ts'
import type { Span } from './spans.ts'

interface Mark {
  readonly at: number
  readonly value: number
}

export interface CounterState extends Mark {
  readonly movedAt: number
  /** Null: not known yet. */
  readonly peakKw: number | null
  readonly steps: readonly number[]
  readonly doubted: readonly Mark[]
  readonly former?: Mark
}

/** A fall of at most so much is rounding, or a device that was off for a moment: nothing was used, nothing was reset. */
const jitterKwh = 0.1
/** What a counter may always rise by: a coarse one moves by whole kWh, whenever it is looked at. */
const coarseKwh = 1
/** What any device may draw although it never did before, and how many times its own highest power. */
const possibleKw = 25
const possibleTimes = 20
/** So many times its highest power of late is nothing unusual. */
const usualTimes = 3
/** A counter that has not moved for so long is not expected to have saved more than this up. */
const savedUpHoursMax = 6
/** The highest power of late is forgotten by half in this time. */
const peakHalfLifeMs = dayMs
/** Rises that are kept, to know how coarse the counter's reports are. */
const stepsKept = 9
/** Readings in a row that settle a doubt; two do where the counter moves on between them. */
const confirmations = 3
/** Over a longer time without a report nobody knows when the energy was used, however little it was. */
export const gapMsMax = dayMs

export class Counter {
  /** The newest reading that is believed. */
  #at: number
  #value: number
  /** When the counter rose last. */
  #movedAt: number
  #peakKw: number
  readonly #steps: number[]
  /** Readings in doubt, which agree with each other. */
  #doubted: Mark[]
  /** Where the counter was before it fell: it may yet turn out that it never did. */
  #former: Mark | undefined

  constructor(saved?: Mark & Partial<CounterState>) {
    this.#at = saved?.at ?? Number.NaN
    this.#value = saved?.value ?? Number.NaN
    this.#movedAt = saved?.movedAt ?? this.#at
    this.#peakKw = saved?.peakKw ?? Number.NaN
    this.#steps = [...(saved?.steps ?? [])]
    this.#doubted = [...(saved?.doubted ?? [])]
    this.#former = saved?.former
  }

  /** Up to here is known what was used, or that it is not known. NaN before the first reading. */
  get settledTo(): number {
    return this.#at
  }

  /** The spans that this reading settles, in order of time. A gap up to `silenceMs` is none. */
  add(at: number, value: number, silenceMs: number): Span[] {
    const mark = { at, value }
    if (Number.isNaN(this.#at)) {
      this.#restart(mark)
      return []
    }
    const last = this.#doubted.at(-1)
    if (!last) return this.#next(mark, silenceMs)
    const isReturn =
      last.value < this.#value
        ? this.#isReturn(mark, this, last)
        : value < last.value - jitterKwh && this.#follows(mark, this)
    if (isReturn) {
      this.#doubted = []
      return this.#take(mark, silenceMs)
    }
    if (!this.#goesOn(mark, last)) this.#doubted = []
    this.#doubted.push(mark)
    return this.#isSettled() ? this.#settle(silenceMs) : []
  }

  save(): CounterState {
    return {
      at: this.#at,
      value: this.#value,
      movedAt: this.#movedAt,
      // JSON has no NaN
      peakKw: Number.isNaN(this.#peakKw) ? null : this.#peakKw,
      steps: [...this.#steps],
      doubted: [...this.#doubted],
      ...(this.#former ? { former: this.#former } : {}),
    }
  }

  get at(): number {
    return this.#at
  }

  get value(): number {
    return this.#value
  }

  get movedAt(): number {
    return this.#movedAt
  }

  /** A reading where there is no doubt. */
  #next(mark: Mark, silenceMs: number): Span[] {
    const former = this.#former
    if (former && mark.at - former.at > gapMsMax) this.#former = undefined
    else if (former && this.#isReturn(mark, { ...former, movedAt: former.at }, this)) {
      this.#restart(former)
      return this.#take(mark, silenceMs)
    }
    if (this.#follows(mark, this)) return this.#take(mark, silenceMs)
    this.#doubted = [mark]
    return []
  }

  /** Whether a counter at `from` can have come to `mark` by counting. */
  #follows(mark: Mark, from: Mark & { readonly movedAt: number }): boolean {
    const rise = mark.value - from.value
    if (rise < 0) return -rise <= jitterKwh && mark.value > from.value / 2
    const hours = hoursSince(from.movedAt, mark.at)
    return rise <= Math.max(coarseKwh, this.#possibleKw() * hours)
  }

  /** Whether readings in doubt agree. Of a counter that was never seen to count, any rise may be its usual one. */
  #goesOn(mark: Mark, last: Mark): boolean {
    const isNew = Number.isNaN(this.#peakKw) && mark.value >= last.value
    return isNew || this.#follows(mark, { ...last, movedAt: last.at })
  }

  #possibleKw(): number {
    // a first rise is compared with those that follow it
    if (Number.isNaN(this.#peakKw)) return 0
    return Math.max(possibleKw, possibleTimes * this.#peakKw)
  }

  /** Whether the counter goes on from where it was before it fell to `low`, rather than having counted up from there. */
  #isReturn(mark: Mark, before: Mark & { readonly movedAt: number }, low: Mark): boolean {
    if (mark.value < before.value - jitterKwh || low.value >= before.value) return false
    const usual = usualTimes * this.#peakKw * hoursSince(low.at, mark.at) + 1.5 * Math.max(0, ...this.#steps)
    if (mark.value - low.value <= usual) return false
    const rise = mark.value - before.value
    const possible = Math.max(possibleKw, possibleTimes * (this.#peakKw || 0))
    return rise <= Math.max(coarseKwh, possible * hoursSince(before.movedAt, mark.at))
  }

  /** A reading that the counter came to by counting. */
  #take({ at, value }: Mark, silenceMs: number): Span[] {
    const from = this.#at
    const lastedMs = at - from
    const kwh = Math.max(0, value - this.#value)
    const isPrompt = lastedMs <= silenceMs
    // a device that reports when it has moved by a step was still in between, as far as it can tell
    const isQuiet = lastedMs <= gapMsMax && kwh <= 1.5 * Math.max(0, ...this.#steps)
    this.#at = at
    this.#value = Math.max(this.#value, value)
    const decayed = (this.#peakKw || 0) * 2 ** (-lastedMs / peakHalfLifeMs)
    this.#peakKw = Math.max(decayed, kwh / ((at - this.#movedAt) / hourMs))
    if (kwh > 0) {
      this.#movedAt = at
      // what a slow counter rises by from day to day is no step
      if (isPrompt) this.#steps.push(kwh)
      if (this.#steps.length > stepsKept) this.#steps.shift()
    }
    return isPrompt || isQuiet ? [{ from, to: at, kwh }] : []
  }

  #isSettled(): boolean {
    const [first] = this.#doubted
    const last = this.#doubted.at(-1)!
    return this.#doubted.length >= confirmations || last.value > first!.value + 1e-9
  }

  /** The readings in doubt are believed. */
  #settle(silenceMs: number): Span[] {
    const [first, ...rest] = this.#doubted
    if (!first) return []
    const before = { at: this.#at, value: this.#value }
    const last = rest.at(-1) ?? first
    const kw = (last.value - first.value) / ((last.at - first.at) / hourMs)
    const isFall = first.value < before.value
    const bridge = isFall ? countedSince(before, first, kw, this.#possibleKw()) : likeAfter(before, first, kw)
    this.#restart(first)
    this.#former = isFall ? before : undefined
    this.#doubted = []
    const spans = rest.flatMap((mark) => this.#take(mark, silenceMs))
    return bridge && bridge.to - bridge.from <= silenceMs ? [bridge, ...spans] : spans
  }

  #restart({ at, value }: Mark): void {
    this.#at = at
    this.#value = value
    this.#movedAt = at
    this.#former = undefined
    this.#doubted = []
  }
}

const hoursSince = (from: number, to: number): number => Math.min(savedUpHoursMax, (to - from) / hourMs)

/**
 * What a counter that was reset shows at its first reading was counted since: at the power `kw` that follows, in the
 * last part of the time. What was used before the reset is not known. Undefined for a meter that did not begin at 0.
 */
function countedSince(before: Mark, first: Mark, kw: number, possible: number): Span | undefined {
  const lastedMs = first.at - before.at
  const isFromZero =
    first.value > 0 &&
    first.value <= before.value / 2 &&
    first.value <= Math.max(coarseKwh, (possible * lastedMs) / hourMs)
  if (!isFromZero || !(kw > 0)) return undefined
  const countedMs = Math.min(lastedMs, (first.value / kw) * hourMs)
  return { from: first.at - countedMs, to: first.at, kwh: first.value }
}

/** A first rise that is like what follows was used; a far larger one is another meter. */
function likeAfter(before: Mark, first: Mark, kw: number): Span | undefined {
  const kwh = first.value - before.value
  const isLike = kwh / ((first.at - before.at) / hourMs) <= possibleTimes * kw
  return isLike ? { from: before.at, to: first.at, kwh } : undefined
}
