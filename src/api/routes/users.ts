import type { Caller, RequestClient } from '../../contract/route.ts'
import type { userRoutes as table } from '../../contract/user-routes.ts'
import { HomeostatError } from '../../core/errors.ts'
import type { User } from '../../core/people.ts'
import { whole } from '../cursor.ts'
import type { Handlers, Hub } from '../hub.ts'
import type { IssuedTokens } from '../people.ts'

type Part<Name extends keyof typeof table> = Pick<Handlers, Name>

/** Users, their sessions and preferences. */
export const userRoutes = (hub: Hub): Part<keyof typeof table> => ({
  ...comeIn(hub),
  ...ownRoutes(hub),
  ...adminRoutes(hub),
})

const comeIn = (hub: Hub): Part<'access' | 'signIn' | 'signOut' | 'login' | 'refreshLogin'> => {
  const { people, engine } = hub
  const secondsUntil = (at: number): number => Math.max(0, Math.floor((at - engine.clock.now()) / 1000))
  const tokens = ({ access, refresh, session, accessMs }: IssuedTokens) => ({
    token_type: 'Bearer' as const,
    access_token: access,
    expires_in: Math.round(accessMs / 1000),
    refresh_token: refresh,
    refresh_expires_in: secondsUntil(session.expiresAt),
  })
  return {
    access: () => ({ users: people.size > 0, open: hub.open }),

    async signIn({ body: { name, password }, client, cookie }) {
      requireNear(client)
      const { user, session, secret } = await people.signIn(name, password, 'browser', client)
      cookie(secret, secondsUntil(session.expiresAt))
      return { name: user.name, kind: 'user' as const, role: user.role, sites: user.sites }
    },

    async signOut({ caller, cookie }) {
      const { sessionId } = requireUser(hub, caller)
      await people.end([sessionId])
      cookie(undefined)
      return { removed: sessionId }
    },

    async login({ body: { name, password }, client }) {
      return tokens(await people.login(name, password, client))
    },

    async refreshLogin({ body }) {
      return tokens(await people.refresh(body.refresh_token))
    },
  }
}

const ownRoutes = (
  hub: Hub,
): Part<'sessions' | 'endSession' | 'preferences' | 'putPreferences' | 'changePassword'> => {
  const { people } = hub
  return {
    sessions({ caller }) {
      const { user, sessionId } = requireUser(hub, caller)
      const sessions = people.sessionsOf(user.id)
      return whole(
        sessions.map(({ id, kind, device, address, createdAt, seenAt, expiresAt }) => ({
          ...{ id, kind, device, address, createdAt, seenAt, expiresAt },
          current: id === sessionId,
        })),
      )
    },

    async endSession({ params: { id }, caller }) {
      const { user } = requireUser(hub, caller)
      if (!people.sessionsOf(user.id).some((session) => session.id === id))
        throw new HomeostatError('not_found', { what: `session "${id}" of yours` })
      await people.end([id])
      return { removed: id }
    },

    preferences: ({ caller }) => requireUser(hub, caller).user.preferences,

    async putPreferences({ caller, body }) {
      await people.setPreferences(requireUser(hub, caller).user.id, body)
      return body
    },

    async changePassword({ caller, body: { password, newPassword } }) {
      const { user, sessionId } = requireUser(hub, caller)
      await people.changePassword(user.name, password, newPassword, sessionId)
      return shown(user)
    },
  }
}

const adminRoutes = ({ people }: Hub): Part<'users' | 'createUser' | 'changeUser' | 'removeUser'> => ({
  users: () => whole(people.users().map(shown)),

  async createUser({ body, status }) {
    const user = await people.create(body)
    status(201)
    return shown(user)
  },

  async changeUser({ params: { name }, body: { role, sites, password } }) {
    return shown(
      await people.change(name, {
        ...(role === undefined ? {} : { role }),
        ...(sites === undefined ? {} : { sites }),
        ...(password === undefined ? {} : { password }),
      }),
    )
  },

  async removeUser({ params: { name } }) {
    await people.remove(name)
    return { removed: name }
  },
})

/** Without password and preferences. */
const shown = ({ name, role, sites, createdAt }: User) => ({ name, role, sites, createdAt })

/** Throws `not_a_user` for a key, or this machine: they have no sessions and no preferences. */
function requireUser(
  { people }: Pick<Hub, 'people'>,
  { name, userId, sessionId }: Caller,
): { readonly user: User; readonly sessionId: string } {
  const user = userId === undefined ? undefined : people.user(userId)
  if (!user || sessionId === undefined) throw new HomeostatError('not_a_user', { caller: name })
  return { user, sessionId }
}

/** A page elsewhere must not sign its visitor in as somebody else. Programs send no such headers. */
function requireNear({ fromElsewhere }: RequestClient): void {
  if (fromElsewhere) throw new HomeostatError('cross_site', { header: 'Origin', got: 'of another page' })
}
