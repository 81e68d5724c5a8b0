import { useDevices } from '../api/queries.ts'
import { idName } from '../format/words.ts'

/** What a meter measures of the energy of its site. */
export const roleNames = {
  grid: 'Grid meter',
  solar: 'Solar power',
  battery: 'Battery',
  house: 'The whole house',
  device: 'One consumer',
} as const

/** The name that a person gave it, else its id as a name. */
export const deviceName = ({
  id,
  name,
}: {
  readonly id: string
  readonly name?: string | undefined
}): string => name ?? idName(id)

/** Names of the devices of a site, by id. */
export function useDeviceName(site: string): (id: string) => string {
  const devices = useDevices().data
  const known = new Map(
    devices?.filter((device) => device.site === site).map((device) => [device.id, deviceName(device)]),
  )
  return (id) => known.get(id) ?? idName(id)
}
