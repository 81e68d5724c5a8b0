import type { TimeSpan } from './turn.ts'

/**
 * Disjoint spans of time in order. Spans that touch or lie closer than `gapMs` are one; beyond `most` spans the two that
 * lie closest become one, so that any number of marks costs a bounded amount of memory.
 */
export class Spans {
  readonly #gapMs: number
  readonly #most: number
  #spans: TimeSpan[]

  constructor(
    { gapMs, most }: { readonly gapMs: number; readonly most: number },
    spans: readonly TimeSpan[] = [],
  ) {
    this.#gapMs = gapMs
    this.#most = most
    this.#spans = [...spans]
  }

  get isEmpty(): boolean {
    return this.#spans.length === 0
  }

  /** In order of time. */
  all(): readonly TimeSpan[] {
    return this.#spans
  }

  newest(): TimeSpan | undefined {
    return this.#spans.at(-1)
  }

  add({ from, to }: TimeSpan): void {
    const last = this.#spans.at(-1)
    // marks come in runs: most lie in the span that was extended last, which is often the newest
    if (last && from >= last.from && to <= last.to) return
    const merged: TimeSpan[] = []
    let added = { from, to }
    for (const span of this.#spans) {
      if (span.to + this.#gapMs < added.from || added.to + this.#gapMs < span.from) merged.push(span)
      else added = { from: Math.min(span.from, added.from), to: Math.max(span.to, added.to) }
    }
    merged.push(added)
    merged.sort((a, b) => a.from - b.from)
    if (merged.length > this.#most) joinClosest(merged)
    this.#spans = merged
  }

  /** Takes [from, to) out of every span. */
  subtract({ from, to }: TimeSpan): void {
    this.#spans = this.#spans.flatMap((span) =>
      [
        { from: span.from, to: Math.min(span.to, from) },
        { from: Math.max(span.from, to), to: span.to },
      ].filter((rest) => rest.from < rest.to),
    )
  }
}

function joinClosest(spans: TimeSpan[]): void {
  let closest = 1
  for (let index = 2; index < spans.length; index++) {
    const distance = spans[index]!.from - spans[index - 1]!.to
    if (distance < spans[closest]!.from - spans[closest - 1]!.to) closest = index
  }
  const joined = { from: spans[closest - 1]!.from, to: spans[closest]!.to }
  spans.splice(closest - 1, 2, joined)
}
