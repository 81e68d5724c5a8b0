import { hiddenBy } from '../../core/device.ts'
import type { Series, SeriesKey } from '../../core/event.ts'
import type { ReadingFilter } from '../../core/ports.ts'
import type { Reading } from '../../core/reading.ts'
import { compareSeries, isDerived, SeriesMap } from '../../core/series.ts'
import { type ReadingTable, readingTables } from './duckdb-schema.ts'
import type { Session } from './duckdb-session.ts'

interface Entry {
  readonly id: number
  series: Series
}

/** The series by number, in memory and in the table `series`. Readings carry the number only. */
export class SeriesTable {
  #byKey = new SeriesMap<Entry>()
  /** Those that are in answers. */
  #byId = new Map<number, Entry>()
  /** Those that a removal hides, which `#byKey` has under their hidden names. */
  #hidden = new Map<number, Entry>()
  #nextId = 0
  /** How many of the series are derived. */
  #derived = 0
  /** Place of each series in the order of lists, by number; made when asked for. */
  #ranks: Map<number, number> | undefined

  /** Takes over what the table says. Until it is read the old content stays in view. */
  async load(session: Session): Promise<void> {
    const rows = await session.columns('SELECT id, site, device, metric, unit, room FROM series ORDER BY id')
    this.#byKey = new SeriesMap()
    this.#byId = new Map()
    this.#hidden = new Map()
    this.#derived = 0
    this.#ranks = undefined
    const [ids, sites, devices, metrics, units, rooms] = rows as [number[], ...string[][]]
    for (const [row, id] of ids.entries()) {
      const key = { site: sites![row]!, device: devices![row]!, metric: metrics![row]! }
      const room = rooms![row]!
      this.#put({ id, series: { ...key, unit: units![row]!, ...(room === '' ? {} : { room }) } })
    }
  }

  /** Undefined when it was erased or hidden; a query that began before may still name it. A number is never given twice. */
  get(id: number): Series | undefined {
    return this.#byId.get(id)?.series
  }

  idOf(key: SeriesKey): number | undefined {
    return this.#byKey.get(key)?.id
  }

  /**
   * The number of a reading's series. A series that is new, or whose unit or room changed, is added to `changed`:
   * it must be saved with the readings. An absent room leaves the known one.
   */
  intern(reading: Reading, changed: Set<number>): number {
    const entry = this.#byKey.get(reading)
    if (!entry) {
      const { site, device, metric, unit, room } = reading
      const id = this.#nextId
      const series = { site, device, metric, unit, ...(room === undefined ? {} : { room }) }
      this.#put({ id, series })
      changed.add(id)
      return id
    }
    const { series } = entry
    if (series.unit !== reading.unit || (reading.room !== undefined && series.room !== reading.room)) {
      const room = reading.room ?? series.room
      entry.series = { ...series, unit: reading.unit, ...(room === undefined ? {} : { room }) }
      changed.add(entry.id)
    }
    return entry.id
  }

  /** Writes the given series; part of the caller's transaction. */
  async save(session: Session, ids: readonly number[]): Promise<void> {
    const rows = ids.map((id) => (this.#byId.get(id) ?? this.#hidden.get(id)!).series)
    await session.run('DELETE FROM series WHERE id IN (SELECT unnest($1))', [ids])
    await session.run(
      'INSERT INTO series SELECT unnest($1), unnest($2), unnest($3), unnest($4), unnest($5), unnest($6)',
      [
        ids,
        rows.map((row) => row.site),
        rows.map((row) => row.device),
        rows.map((row) => row.metric),
        rows.map((row) => row.unit),
        rows.map((row) => row.room ?? ''),
      ],
    )
  }

  /** Numbers of the series that a filter leaves, or undefined when it leaves all. */
  matching(filter: ReadingFilter): number[] | undefined {
    const { sites, device, metric } = filter
    if (sites === undefined && device === undefined && metric === undefined) return undefined
    const wanted = sites && new Set(sites)
    const ids: number[] = []
    for (const { id, series } of this.#byId.values()) {
      if (wanted && !wanted.has(series.site)) continue
      if (device !== undefined && series.device !== device) continue
      if (metric !== undefined && series.metric !== metric) continue
      ids.push(id)
    }
    return ids
  }

  /** The table that holds a series' readings. */
  tableOf(id: number): ReadingTable {
    const entry = this.#byId.get(id) ?? this.#hidden.get(id)
    return isDerived(entry?.series.device ?? '') ? 'derived' : 'readings'
  }

  /** A number for a series that the caller adds to the table. */
  allocate(): number {
    return this.#nextId++
  }

  /** Numbers and names before of the series that a removal hides; of any removal without an id. */
  hidden(removal?: string): { readonly id: number; readonly series: Series }[] {
    return [...this.#hidden.values()].flatMap(({ id, series }) => {
      const hidden = hiddenBy(series.device)
      if (!hidden || (removal !== undefined && hidden.removal !== removal)) return []
      return [{ id, series: { ...series, device: hidden.name } }]
    })
  }

  /** The tables that hold readings of `ids`, each with its share of them; undefined stands for all series. */
  byTable(ids: readonly number[] | undefined): { table: ReadingTable; ids: readonly number[] | undefined }[] {
    if (this.#derived === 0) return [{ table: 'readings', ids }]
    if (ids === undefined) return readingTables.map((table) => ({ table, ids }))
    return readingTables
      .map((table) => ({ table, ids: ids.filter((id) => this.tableOf(id) === table) }))
      .filter((part) => part.ids.length > 0)
  }

  /** In the order of lists. */
  all(): Series[] {
    return [...this.#byId.values()].map((entry) => entry.series).sort(compareSeries)
  }

  /** Numbers in the order of lists. */
  ids(): number[] {
    return [...this.#ranked().keys()]
  }

  get size(): number {
    return this.#byId.size
  }

  /** Place of a series in the order of lists; -1 when it was erased. */
  rank(id: number): number {
    return this.#ranked().get(id) ?? -1
  }

  /** How many series come before `key` in the order of lists. */
  countBefore(key: SeriesKey): number {
    let count = 0
    for (const { series } of this.#byId.values()) if (compareSeries(series, key) < 0) count++
    return count
  }

  #ranked(): Map<number, number> {
    if (!this.#ranks) {
      const sorted = [...this.#byId.values()].sort((a, b) => compareSeries(a.series, b.series))
      this.#ranks = new Map(sorted.map((entry, rank) => [entry.id, rank]))
    }
    return this.#ranks
  }

  #put(entry: Entry): void {
    if (isDerived(entry.series.device)) this.#derived++
    this.#byKey.set(entry.series, entry)
    if (hiddenBy(entry.series.device)) this.#hidden.set(entry.id, entry)
    else this.#byId.set(entry.id, entry)
    this.#nextId = Math.max(this.#nextId, entry.id + 1)
    this.#ranks = undefined
  }
}
