import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CsvForm } from '../contract/csv.ts'
import { csvHeader, csvRow } from '../core/csv-text.ts'
import { HomeostatError } from '../core/errors.ts'

/** Limits of answers in CSV. */
export interface CsvLimits {
  /** Answers that are written at the same time. */
  readonly exports: number
  /** How long a client may take nothing before it is cut, ms. */
  readonly exportIdleMs: number
}

/** A request for a list as CSV. */
export interface CsvRequest {
  readonly form: CsvForm
  /** As the schema of the route parsed it. */
  readonly query: Readonly<Record<string, unknown>>
  /** Answers one page of the list. */
  ask(query: Readonly<Record<string, unknown>>): Promise<unknown>
}

interface Page {
  readonly items: readonly unknown[]
  readonly next: string | null
}

/** Text that is handed to the socket at a time. */
const chunkChars = 64 * 1024

/**
 * Answers lists as CSV. With `limit` or `cursor` in the query the answer is that page, and its `Link` header names the
 * next one (RFC 8288). Without them it is the whole list, read page by page while the client takes it: memory holds one
 * page. A failure after the first page breaks the connection, so that no client takes a part for the whole.
 */
export class CsvAnswers {
  readonly #limits: CsvLimits
  #running = 0

  constructor(limits: CsvLimits) {
    this.#limits = limits
  }

  /** Rejects with `exports_full` at the limit, and with what the first page rejects with. */
  async answer(csv: CsvRequest, request: FastifyRequest, reply: FastifyReply): Promise<Readable> {
    const url = new URL(request.url, 'http://hub')
    const isOnePage = url.searchParams.has('limit') || url.searchParams.has('cursor')
    const { exports, exportIdleMs } = this.#limits
    if (this.#running >= exports) throw new HomeostatError('exports_full', { limit: exports })
    const release = this.#take()
    try {
      const query = isOnePage ? csv.query : { ...csv.query, limit: csv.form.pageItems }
      const first = (await csv.ask(query)) as Page
      if (isOnePage && first.next !== null) {
        url.searchParams.set('cursor', first.next)
        reply.header('link', `<${url.pathname}${url.search}>; rel="next"`)
      }
      const pages = isOnePage ? [first] : pagesFrom(first, { ...csv, query })
      const body = Readable.from(textOf(pages, csv), { objectMode: false })
      body.once('end', release).once('close', release)
      reply.type('text/csv; charset=utf-8; header=present')
      reply.raw.setTimeout(exportIdleMs, () => reply.raw.destroy())
      return body
    } catch (error) {
      release()
      throw error
    }
  }

  /** Counts an answer until what it returns is called. */
  #take(): () => void {
    let isHeld = true
    this.#running++
    return () => {
      if (isHeld) this.#running--
      isHeld = false
    }
  }
}

async function* pagesFrom(first: Page, { ask, query }: CsvRequest): AsyncGenerator<Page> {
  yield first
  for (let cursor = first.next; cursor !== null; ) {
    const page = (await ask({ ...query, cursor })) as Page
    yield page
    cursor = page.next
  }
}

async function* textOf(
  pages: AsyncIterable<Page> | Iterable<Page>,
  { form, query }: CsvRequest,
): AsyncGenerator<string> {
  let text = csvHeader(form.columns)
  for await (const page of pages) {
    for (const row of form.rows(page as never, query as never)) {
      text += csvRow(form.columns, row)
      if (text.length < chunkChars) continue
      yield text
      text = ''
    }
  }
  if (text !== '') yield text
}

/** Whether the Accept header prefers CSV to JSON (RFC 9110, section 12.5.1); of equals the one named first. */
export function prefersCsv(accept: string | undefined): boolean {
  if (!accept?.toLowerCase().includes('text/csv')) return false
  const ranges = accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    return { type, weight: weight === undefined ? 1 : Number(weight.slice(2)) || 0 }
  })
  const weightOf = (type: string): number => ranges.find((range) => range.type === type)?.weight ?? 0
  const csv = weightOf('text/csv')
  const json = weightOf('application/json')
  if (csv === 0 || csv < json) return false
  if (csv > json) return true
  const place = (type: string): number => ranges.findIndex((range) => range.type === type)
  return place('text/csv') < place('application/json')
}
