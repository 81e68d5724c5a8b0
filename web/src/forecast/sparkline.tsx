const width = 132
const height = 28

/** The shape of a forecast at a glance, from zero up. The figures stand beside it, so it is decoration for a reader. */
export function Sparkline({ values }: { values: readonly number[] }) {
  if (values.length < 2) return null
  const top = Math.max(...values, 1e-9)
  const bottom = Math.min(...values, 0)
  const x = (index: number) => (index / (values.length - 1)) * (width - 2) + 1
  const y = (value: number) => height - 2 - ((value - bottom) / (top - bottom)) * (height - 4)
  const points = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <polygon points={`1,${height - 2} ${points} ${width - 1},${height - 2}`} fill="var(--band)" />
      <polyline points={points} fill="none" stroke="var(--accent)" strokeWidth="1.5" strokeLinejoin="round" />
    </svg>
  )
}
