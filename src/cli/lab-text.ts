/** How `lab` shows things: tables, pictures of blocks, figures that a reader can take in, and files written whole. */
import { rename, rm, writeFile } from 'node:fs/promises'
import { HomeostatError } from '../core/errors.ts'

/** A figure with about four digits; a dash where there is none. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-'
  if (value === 0) return '0'
  const digits = Math.max(0, Math.min(6, 3 - Math.floor(Math.log10(Math.abs(value)))))
  return value.toFixed(digits)
}

export const percent = (share: number): string =>
  Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : '-'

/** Lines of a table; the first row is its head. Columns of figures are to the right. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)))
  const isFigure = widths.map((_, at) =>
    rows.slice(1).every((row) => /^(-|[-+]?[\d.,]+( %)?|)$/.test(row[at] ?? '')),
  )
  return rows
    .map((row) => {
      const cells = widths.map((width, at) =>
        isFigure[at] ? (row[at] ?? '').padStart(width) : (row[at] ?? '').padEnd(width),
      )
      return `  ${cells.join('  ')}`.trimEnd()
    })
    .join('\n')
    .concat('\n')
}

const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

/** One character a value, a blank where none is known; wider than `width` values are averaged. */
export function sparkline(values: ArrayLike<number>, width = 72): string {
  const cells = squeeze(values, width)
  const known = cells.filter((value) => Number.isFinite(value))
  const least = Math.min(...known)
  const span = Math.max(...known) - least
  return cells
    .map((value) => {
      if (!Number.isFinite(value)) return ' '
      return blocks[span > 0 ? Math.min(7, Math.floor(((value - least) / span) * 8)) : 3]
    })
    .join('')
}

/** Means of `width` stretches of equal length, or the values themselves where there are no more than that. */
export function squeeze(values: ArrayLike<number>, width: number): number[] {
  const count = Math.min(width, values.length)
  return Array.from({ length: count }, (_, cell) => {
    const from = Math.floor((cell * values.length) / count)
    const to = Math.floor(((cell + 1) * values.length) / count)
    let sum = 0
    let known = 0
    for (let at = from; at < to; at++)
      if (Number.isFinite(values[at]!)) {
        sum += values[at]!
        known++
      }
    return known > 0 ? sum / known : Number.NaN
  })
}

export interface Curve {
  readonly values: ArrayLike<number>
  readonly mark: string
}

/** Curves over a band in `height` lines of characters; later curves lie on top. The scale is written at the left. */
export function plot(
  curves: readonly Curve[],
  band: { readonly lo: ArrayLike<number>; readonly hi: ArrayLike<number> } | undefined,
  height = 12,
): string {
  const shown = [...curves.map((curve) => curve.values), ...(band ? [band.lo, band.hi] : [])]
  const all = shown.flatMap((values) => Array.from(values)).filter((value) => Number.isFinite(value))
  const width = Math.max(...shown.map((values) => values.length))
  const top = Math.max(...all)
  const least = Math.min(...all)
  const span = top > least ? top - least : 1
  const line = (value: number): number => Math.round(((top - value) / span) * (height - 1))
  const grid = Array.from({ length: height }, () => new Array<string>(width).fill(' '))
  for (let at = 0; band && at < width; at++) {
    if (!Number.isFinite(band.lo[at]) || !Number.isFinite(band.hi[at])) continue
    for (let row = line(band.hi[at]!); row <= line(band.lo[at]!); row++) grid[row]![at] = '░'
  }
  for (const { values, mark } of curves)
    for (let at = 0; at < values.length; at++)
      if (Number.isFinite(values[at]!)) grid[line(values[at]!)]![at] = mark
  const labels = [figure(top), figure(least)]
  const room = Math.max(...labels.map((label) => label.length))
  return grid
    .map((row, at) => {
      const label = at === 0 ? labels[0]! : at === height - 1 ? labels[1]! : ''
      return `  ${label.padStart(room)} │${row.join('').trimEnd()}`
    })
    .join('\n')
    .concat('\n')
}

/** JSON with two blanks; what is no finite number (no such figure) becomes null. Typed arrays become arrays. */
export const jsonText = (value: unknown): string =>
  `${JSON.stringify(value, (_, one: unknown) => (ArrayBuffer.isView(one) && one instanceof Float64Array ? [...one] : one))}\n`

/** Writes a file whole or not at all: beside it under another name, then renamed. Rejects with `file_unreadable`. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const part = `${path}.${process.pid}.part`
  try {
    await writeFile(part, text)
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    const detail = `it cannot be written (${error instanceof Error ? error.message : String(error)})`
    throw new HomeostatError('file_unreadable', { file: path, detail }, error)
  }
}

/** A field of a CSV file, in quotes where it needs them. */
export const csvField = (text: string): string =>
  /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
