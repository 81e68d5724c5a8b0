import { useQuery } from '@tanstack/react-query'
import { ApiError, call } from './client.ts'
import { apiKey } from './key.ts'
import { useHealth } from './queries.ts'

/** A route of the role that tells nothing new: what matters is whether the hub says no. */
const probes = {
  operator: (signal: AbortSignal) => call('quarantine', { query: { limit: 1 }, signal }),
  admin: (signal: AbortSignal) => call('keys', { signal }),
} as const

/**
 * Whether the one who looks may do what needs a role; undefined until it is known. The contract tells nobody its role,
 * so a route of that role is asked once. A hub that is open to its machine takes whoever sits there as admin.
 */
export function useMay(role: keyof typeof probes): boolean | undefined {
  const health = useHealth()
  const atHome = health.data?.open === true && apiKey.get() === null
  const probe = useQuery({
    queryKey: ['may', role],
    queryFn: ({ signal }) => isAllowed(probes[role](signal)),
    enabled: health.data !== undefined && !atHome,
    staleTime: Number.POSITIVE_INFINITY,
  })
  return atHome ? true : probe.data
}

async function isAllowed(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer
    return true
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error
    // the role is looked at first: a key of some sites only has got past it
    return error.code !== 'role_too_low'
  }
}
