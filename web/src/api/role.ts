import { useQuery } from '@tanstack/react-query'
import { call } from './client.ts'

const roles = ['viewer', 'operator', 'admin'] as const

/** Whether the one who looks may do what needs a role; undefined until it is known. */
export function useMay(role: (typeof roles)[number]): boolean | undefined {
  const me = useQuery({
    queryKey: ['me'],
    queryFn: ({ signal }) => call('me', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })
  return me.data && roles.indexOf(me.data.role) >= roles.indexOf(role)
}
