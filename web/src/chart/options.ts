import uPlot from 'uplot'

export type Tone = 'accent' | 'naive' | 'ink'

export interface Line {
  readonly label: string
  readonly values: readonly (number | null)[]
  readonly tone: Tone
  readonly dashed?: boolean
  /** A state: holds its value until the next reading. */
  readonly stepped?: boolean
}

export interface Band {
  readonly label: string
  readonly lo: readonly (number | null)[]
  readonly hi: readonly (number | null)[]
}

/** What the axis below counts: moments in a zone, or hours ahead of a forecast's origin. Both are given in ms. */
export type Across = { readonly kind: 'time'; readonly zone: string } | { readonly kind: 'ahead' }

/** What decides the build of a chart; a change of the data alone does not. */
export interface ChartShape {
  readonly lines: readonly Pick<Line, 'label' | 'tone' | 'dashed' | 'stepped'>[]
  readonly band: boolean
  readonly across: Across
  readonly height: number
  readonly fromZero: boolean
}

export interface ChartHooks {
  /** Value on the axis at the left, short. */
  axisText(value: number): string
  onCursor(index: number | undefined): void
  /** A moment marked by an upright line, ms; undefined for none. */
  marker(): number | undefined
}

const hourSeconds = 3600
const daySeconds = 24 * hourSeconds

export function chartOptions(shape: ChartShape, hooks: ChartHooks, width: number): uPlot.Options {
  const { across } = shape
  const edge = { stroke: 'transparent', width: 0, points: { show: false } }
  return {
    width,
    height: shape.height,
    padding: [10, 22, 0, 0],
    ...(across.kind === 'time'
      ? { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), across.zone) }
      : {}),
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 8, width: 2, fill: () => css('--surface') },
    },
    scales: {
      x: { auto: false, time: across.kind === 'time' },
      y: { range: (_, min, max) => yRange(min, max, shape.fromZero) },
    },
    axes: [across.kind === 'time' ? timeAxis(across.zone) : aheadAxis(), valueAxis(hooks, shape)],
    series: [{}, ...shape.lines.map(lineOf), ...(shape.band ? [edge, edge] : [])],
    bands: shape.band
      ? [{ series: [shape.lines.length + 2, shape.lines.length + 1], fill: () => css('--band') }]
      : [],
    hooks: {
      setCursor: [({ cursor }) => hooks.onCursor(cursor.idx ?? undefined)],
      drawClear: [(chart) => drawMarker(chart, hooks.marker())],
    },
  }
}

function lineOf(line: ChartShape['lines'][number]): uPlot.Series {
  const steps = line.stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined
  return {
    label: line.label,
    stroke: () => css(`--${line.tone}`),
    width: 1.5,
    points: { fill: () => css('--surface'), space: 24 },
    ...(line.dashed ? { dash: [5, 5], points: { show: false } } : {}),
    ...(steps ? { paths: steps, width: 1, fill: () => css('--band'), points: { show: false } } : {}),
  }
}

function timeAxis(zone: string): uPlot.Axis {
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone, hourCycle: 'h23' })
  const clock = format({ hour: '2-digit', minute: '2-digit' })
  const day = format({ day: 'numeric', month: 'short' })
  const month = format({ month: 'short', year: 'numeric' })
  return {
    ...axisLook(),
    space: 76,
    size: 34,
    values: (_, splits, __, ___, step) => {
      const chosen = step >= 27 * daySeconds ? month : step >= daySeconds ? day : clock
      // midnight among hours says which day begins
      return splits.map((seconds) => {
        const shape = chosen === clock && isMidnight(seconds, zone) ? day : chosen
        return shape.format(seconds * 1000)
      })
    },
  }
}

/** Hours ahead, at steps that divide a day. */
const aheadAxis = (): uPlot.Axis => ({
  ...axisLook(),
  space: 44,
  size: 34,
  incrs: [1, 2, 3, 6, 12, 24].map((hours) => hours * hourSeconds),
  values: (_, splits) => splits.map((seconds) => `${seconds / hourSeconds} h`),
})

function isMidnight(seconds: number, zone: string): boolean {
  const date = uPlot.tzDate(new Date(seconds * 1000), zone)
  return date.getHours() === 0 && date.getMinutes() === 0
}

function valueAxis(hooks: ChartHooks, shape: ChartShape): uPlot.Axis {
  const states = shape.lines.some((line) => line.stepped)
  return {
    ...axisLook(),
    ...(states ? { splits: [0, 1] } : {}),
    size: states ? 84 : 58,
    gap: 8,
    values: (_, splits) => splits.map((value) => hooks.axisText(value)),
  }
}

const axisLook = (): uPlot.Axis => ({
  stroke: () => css('--muted'),
  font: '12px system-ui, sans-serif',
  grid: { stroke: () => css('--grid'), width: 1 },
  ticks: { show: false },
})

/** Some room above and below; powers and energies stand on zero. A flat line lies in the middle. */
function yRange(min: number | null, max: number | null, fromZero: boolean): [number, number] {
  if (min === null || max === null) return [0, 1]
  const low = fromZero ? Math.min(0, min) : min
  const high = fromZero ? Math.max(0, max) : max
  const room = high > low ? (high - low) * 0.08 : Math.max(1, Math.abs(high) * 0.05)
  return [fromZero && low === 0 ? 0 : low - room, high + room]
}

function drawMarker(chart: uPlot, at: number | undefined): void {
  if (at === undefined) return
  const x = Math.round(chart.valToPos(at / 1000, 'x', true))
  const { left, top, width, height } = chart.bbox
  if (x < left || x > left + width) return
  const { ctx } = chart
  ctx.save()
  ctx.strokeStyle = css('--muted')
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio])
  ctx.beginPath()
  ctx.moveTo(x, top)
  ctx.lineTo(x, top + height)
  ctx.stroke()
  ctx.restore()
}

/** A colour of the page as it is now: charts follow the colour scheme. */
const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
