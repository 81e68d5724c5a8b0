import { useMe } from '../account/session.ts'

const roles = ['viewer', 'operator', 'admin'] as const

/** Whether the one who looks may do what needs a role; undefined until it is known. */
export function useMay(role: (typeof roles)[number]): boolean | undefined {
  const me = useMe()
  return me.data && roles.indexOf(me.data.role) >= roles.indexOf(role)
}
