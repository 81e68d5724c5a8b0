import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { call } from '../api/client.ts'
import { apiKey } from '../api/key.ts'

/** Who looks, and how people come in. */

export const useMe = () =>
  useQuery({
    queryKey: ['me'],
    queryFn: ({ signal }) => call('me', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })

export const useAccess = () =>
  useQuery({ queryKey: ['access'], queryFn: ({ signal }) => call('access', { signal }) })

export const useSessions = () =>
  useQuery({ queryKey: ['sessions'], queryFn: ({ signal }) => call('sessions', { signal }) })

export const usePreferences = (enabled: boolean) =>
  useQuery({
    queryKey: ['preferences'],
    queryFn: ({ signal }) => call('preferences', { signal }),
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
  })

interface Credentials {
  readonly name: string
  readonly password: string
}

/** Signs in; the page then starts anew as that user. */
export async function signIn(credentials: Credentials): Promise<void> {
  await call('signIn', { body: credentials })
  apiKey.clear()
}

/** Makes the first user, who may do everything, and signs in. */
export async function createFirstUser(credentials: Credentials): Promise<void> {
  await call('createUser', { body: { ...credentials, role: 'admin' } })
  await signIn(credentials)
}

/** Ends the session of this device; the page then asks for a sign-in. */
export async function signOut(): Promise<void> {
  await call('signOut')
  apiKey.clear()
}

export function useEndSession() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => call('endSession', { params: { id } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['sessions'] }),
  })
}

export const useChangePassword = () =>
  useMutation({
    mutationFn: (body: { readonly password: string; readonly newPassword: string }) =>
      call('changePassword', { body }),
  })

/** Keeps a preference of the user beside the others. */
export async function savePreference(client: QueryClient, name: string, value: unknown): Promise<void> {
  const known = client.getQueryData<Record<string, unknown>>(['preferences']) ?? {}
  const body = { ...known, [name]: value }
  client.setQueryData(['preferences'], body)
  await call('putPreferences', { body })
}
