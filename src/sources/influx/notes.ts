/** What became of fields that are not stored as they came: `text` was left out, `merged` shares a series with another. */
export type NoteKind = 'text' | 'merged'

export interface InfluxNote {
  readonly kind: NoteKind
  readonly site: string
  readonly measurement: string
  readonly field: string
  readonly count: number
}

const notesMax = 1000

/** Stands for all fields beyond the limit, of all sites. */
const others = { site: '', measurement: '(others)', field: '(others)' }

/** Fields by name, counted since the start of the process. */
export class InfluxNotes {
  readonly #notes = new Map<string, InfluxNote>()

  add(note: Omit<InfluxNote, 'count'>): void {
    const key = [note.kind, note.site, note.measurement, note.field].join('\u001f')
    const known = this.#notes.get(key)
    if (known || this.#notes.size < notesMax || note.site === '')
      this.#notes.set(key, { ...note, count: (known?.count ?? 0) + 1 })
    else this.add({ kind: note.kind, ...others })
  }

  /** In the order in which they were first seen. */
  list(): readonly InfluxNote[] {
    return [...this.#notes.values()]
  }
}
