interface TileProps {
  readonly label: string
  readonly value: string
  readonly unit?: string
  readonly note: string
}

export function Tile({ label, value, unit, note }: TileProps) {
  return (
    <div className="tile">
      <div className="tile-label">{label}</div>
      <div className="tile-value">
        {value} {unit && <small>{unit}</small>}
      </div>
      <div className="tile-note">{note}</div>
    </div>
  )
}
