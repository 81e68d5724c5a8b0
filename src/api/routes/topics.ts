import { randomUUID } from 'node:crypto'
import { isZone } from '../../core/calendar.ts'
import { HomeostatError } from '../../core/errors.ts'
import type { HeardKind, TopicMapping } from '../../core/topics.ts'
import { decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { Handlers, Hub } from '../hub.ts'

/** Topics that nothing reads, the mappings that people add for them, and rows in quarantine. */
export const topicRoutes = (hub: Hub) => ({
  ...listRoutes(hub),
  ...mappingRoutes(hub),
  ...quarantineRoutes(hub),
})

const listRoutes = ({ topics }: Hub): Handlers<'topics' | 'proposeMapping' | 'previewMapping'> => ({
  topics({ query }) {
    const { kind } = query
    const all = topics.topics.heard().filter((entry) => kind === undefined || entry.kind === kind)
    const page = pageOf(all, query, ['string', 'string'], ({ topic, kind: of }) => [topic, of])
    return { ...page, dropped: topics.topics.dropped }
  },

  proposeMapping({ body: { topic, payload = topics.heard(topic).payload } }) {
    return { mapping: topics.topics.propose(topic, payload), payload }
  },

  previewMapping({ body: { mapping, topic, payload = topics.heard(topic).payload } }) {
    return topics.preview(checked(mapping), topic, payload)
  },
})

const mappingRoutes = ({ topics }: Hub): Handlers<'topicMappings' | 'addMapping' | 'removeMapping'> => ({
  topicMappings({ query }) {
    return pageOf(topics.mappings, query, ['number', 'string'], ({ at, id }) => [-at, id])
  },

  async addMapping({ body, caller, status }) {
    const added = await topics.add(randomUUID(), checked(body), caller.name)
    status(201)
    return added
  },

  async removeMapping({ params: { id } }) {
    await topics.remove(id)
    return { removed: id }
  },
})

const quarantineRoutes = ({
  engine,
  quarantine,
}: Hub): Handlers<'quarantine' | 'retryQuarantine' | 'clearQuarantine'> => ({
  async quarantine({ query }) {
    const before = query.cursor === undefined ? undefined : Number(decodeCursor(query.cursor, ['number'])[0])
    const rows = await engine.ledger.quarantined(query.limit + 1, before)
    const page = rows.slice(0, query.limit)
    return {
      items: page.map(({ id, row }) => ({ id, ...row })),
      next: rows.length > query.limit ? encodeCursor([page.at(-1)!.id]) : null,
    }
  },

  async retryQuarantine({ body: { ids } }) {
    const { problems, ...counts } = await quarantine.retry(ids ?? 'all')
    return { ...counts, problems: problems.map(({ id, problem }) => ({ id, ...problem })) }
  },

  async clearQuarantine({ body: { ids } }) {
    return { removed: await quarantine.clear(ids ?? 'all') }
  },
})

/** How many topics are listed, by why. */
export function countHeard({ topics }: Pick<Hub, 'topics'>): Readonly<Record<HeardKind, number>> {
  const counts = { unmapped: 0, fields: 0, retained: 0 }
  for (const { kind } of topics.topics.heard()) counts[kind]++
  return counts
}

function checked(mapping: TopicMapping): TopicMapping {
  const { zone } = mapping
  if (zone === undefined || isZone(zone)) return mapping
  throw new HomeostatError('mapping_invalid', {
    detail: `"${zone}" is no IANA time zone such as Europe/Athens`,
  })
}
