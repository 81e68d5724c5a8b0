import { expect, it } from 'vitest'
import type { Session, User } from '../../src/core/people.ts'
import type { Ledger } from '../../src/core/ports.ts'
import type { Law } from './ledger.ts'
import { hostile } from './ledger-life-samples.ts'

/** Users and sessions, as every ledger keeps them. */

const user = (id: string, change: Partial<User> = {}): User => ({
  ...{ id, name: `User ${id}`, role: 'operator', sites: ['home'], createdAt: 5, preferences: {} },
  password: { n: 32_768, r: 8, p: 3, salt: 'c2FsdA', hash: 'aGFzaA' },
  ...change,
})

const session = (id: string, change: Partial<Session> = {}): Session => ({
  ...{ id, user: 'a', kind: 'browser', sha256: 'ab'.repeat(32), replaced: [], device: 'Firefox' },
  ...{ address: '127.0.0.1', createdAt: 5, seenAt: 6, expiresAt: 7 },
  ...change,
})

export const peopleLaws: readonly Law[] = [
  {
    name: 'users: a user is kept whole, and the same id replaces',
    put: [
      (l) =>
        l.people.putUser(user('b', { name: hostile, sites: null, preferences: { units: ['°C', null] } })),
      (l) => l.people.putUser(user('a')),
      (l) => l.people.putUser(user('a', { role: 'admin', sites: [] })),
    ],
    read: (l) => l.people.users(),
    gives: [
      user('a', { role: 'admin', sites: [] }),
      user('b', { name: hostile, sites: null, preferences: { units: ['°C', null] } }),
    ],
  },
  {
    name: 'sessions: a session is kept whole, the same id replaces, and those named are removed',
    put: [
      (l) => l.people.putSession(session('s2', { device: hostile, kind: 'tokens' })),
      (l) => l.people.putSession(session('s1')),
      (l) => l.people.putSession(session('s1', { seenAt: 99, replaced: ['x', 'y'] })),
      (l) => l.people.putSession(session('s3')),
      (l) => l.people.removeSessions(['s3', 'unknown']),
    ],
    read: (l) => l.people.sessions(),
    gives: [
      session('s1', { seenAt: 99, replaced: ['x', 'y'] }),
      session('s2', { device: hostile, kind: 'tokens' }),
    ],
  },
  {
    name: 'users: removing one removes the sessions of that user and no others',
    put: [
      (l) => l.people.putUser(user('a')),
      (l) => l.people.putUser(user('b')),
      (l) => l.people.putSession(session('s1')),
      (l) => l.people.putSession(session('s2', { user: 'b' })),
      (l) => l.people.removeUser('a'),
    ],
    read: async (l) => [await l.people.users(), await l.people.sessions()],
    gives: [[user('b')], [session('s2', { user: 'b' })]],
  },
]

/** What calls return. */
export function testPeopleCalls(ledger: () => Ledger): void {
  it('users: tells whether there was one to remove', async () => {
    const { people } = ledger()
    await people.putUser(user('a'))
    expect([await people.removeUser('a'), await people.removeUser('a')]).toStrictEqual([true, false])
  })
}
