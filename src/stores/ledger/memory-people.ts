import type { PeopleLedger, Session, User } from '../../core/people.ts'
import { compare } from './memory-upkeep.ts'

export function memoryPeople(): PeopleLedger {
  const users = new Map<string, User>()
  const sessions = new Map<string, Session>()
  const byId = <Row extends { readonly id: string }>(rows: Map<string, Row>): Row[] =>
    structuredClone([...rows.values()].sort((a, b) => compare(a.id, b.id)))

  return {
    async putUser(user) {
      users.set(user.id, structuredClone(user))
    },
    users: async () => byId(users),
    async removeUser(id) {
      for (const { id: session, user } of sessions.values()) if (user === id) sessions.delete(session)
      return users.delete(id)
    },
    async putSession(session) {
      sessions.set(session.id, structuredClone(session))
    },
    sessions: async () => byId(sessions),
    async removeSessions(ids) {
      for (const id of ids) sessions.delete(id)
    },
  }
}
