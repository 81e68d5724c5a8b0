import type { PeopleLedger, Session as SignedIn, User } from '../../core/people.ts'
import { bodyOf } from './life-rows.ts'
import type { SessionRow, UserRow } from './schema.ts'
import type { Session } from './session.ts'
import { upsert } from './upsert.ts'

export const sqlPeople = ({ db, write }: Session): PeopleLedger => ({
  putUser: (user) => write((db) => upsert(db, 'users', ['id'], [user], userRow)),

  async users() {
    const rows = await db().selectFrom('users').select('body').orderBy('id').execute()
    return rows.map(bodyOf<User>)
  },

  removeUser: (id) =>
    write(async (db) => {
      await db.deleteFrom('sessions').where('user', '=', id).execute()
      const gone = await db.deleteFrom('users').where('id', '=', id).executeTakeFirstOrThrow()
      return gone.numDeletedRows > 0n
    }),

  putSession: (session) => write((db) => upsert(db, 'sessions', ['id'], [session], sessionRow)),

  async sessions() {
    const rows = await db().selectFrom('sessions').select('body').orderBy('id').execute()
    return rows.map(bodyOf<SignedIn>)
  },

  removeSessions: (ids) =>
    write(async (db) => {
      for (const id of ids) await db.deleteFrom('sessions').where('id', '=', id).execute()
    }),
})

const userRow = (user: User): UserRow => ({ id: user.id, body: JSON.stringify(user) })

const sessionRow = (session: SignedIn): SessionRow => ({
  id: session.id,
  user: session.user,
  body: JSON.stringify(session),
})
