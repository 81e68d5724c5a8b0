import type { Transaction } from 'kysely'
import type { Database } from './schema.ts'

/** Deletes all but the newest `keep` quarantined rows. */
export async function trimQuarantined(db: Transaction<Database>, keep: number): Promise<void> {
  const newestToGo = db
    .selectFrom('quarantined')
    .select('id')
    .orderBy('id', 'desc')
    .limit(1)
    .offset(Math.max(0, keep))
  await db.deleteFrom('quarantined').where('id', '<=', newestToGo).execute()
}

/** Deletes all but the newest `keep` versions of each series. */
export async function trimModels(db: Transaction<Database>, keep: number): Promise<void> {
  const ranked = db
    .selectFrom('models')
    .select(['site', 'device', 'metric', 'version'])
    .select(({ fn }) =>
      fn
        .agg<number>('row_number')
        .over((over) =>
          over
            .partitionBy(['site', 'device', 'metric'])
            .orderBy('trained_at', 'desc')
            .orderBy('version', 'desc'),
        )
        .as('place'),
    )
  const old = await db.selectFrom(ranked.as('ranked')).selectAll().where('place', '>', keep).execute()
  for (const { site, device, metric, version } of old) {
    await db
      .deleteFrom('models')
      .where('site', '=', site)
      .where('device', '=', device)
      .where('metric', '=', metric)
      .where('version', '=', version)
      .execute()
  }
}
