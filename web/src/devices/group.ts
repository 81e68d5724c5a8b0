import type { Device, Reading } from '../api/types.ts'
import { idName, metricName } from '../format/words.ts'

export interface Listed {
  readonly site: string
  readonly id: string
  readonly type: string
  readonly room: string | undefined
  readonly name: string | undefined
  readonly role: Device['role']
  readonly hidden: boolean
  readonly fixed: NonNullable<Device['fixed']>
  readonly series: readonly { readonly metric: string; readonly unit: string }[]
}

export interface RoomGroup {
  readonly room: string | undefined
  readonly devices: readonly Listed[]
}

/** Devices of one site with what they measure; a device that only its readings know is listed as well. */
export function listDevices(
  site: string,
  devices: readonly Device[],
  readings: readonly Reading[],
): Listed[] {
  const byId = new Map<
    string,
    Omit<Listed, 'series' | 'room'> & { room: string | undefined; metrics: Map<string, string> }
  >()
  for (const device of devices) {
    if (device.site !== site) continue
    const { id, type, room, name, role, hidden = false, fixed = [] } = device
    byId.set(id, { site, id, type, room, name, role, hidden, fixed, metrics: new Map() })
  }
  for (const reading of readings) {
    if (reading.site !== site) continue
    let entry = byId.get(reading.device)
    if (!entry) {
      const nothing = {
        type: '',
        room: undefined,
        name: undefined,
        role: undefined,
        hidden: false,
        fixed: [],
      }
      entry = { site, id: reading.device, ...nothing, metrics: new Map() }
      byId.set(reading.device, entry)
    }
    entry.room ??= reading.room
    entry.metrics.set(reading.metric, reading.unit)
  }
  return [...byId.values()].map(({ metrics, ...device }) => ({
    ...device,
    series: [...metrics].map(([metric, unit]) => ({ metric, unit })).sort(byImportance),
  }))
}

/** Rooms by name, devices without a room last; within a room by name or id, numbers by size. */
export function groupByRoom(devices: readonly Listed[]): RoomGroup[] {
  const rooms = new Map<string | undefined, Listed[]>()
  for (const device of devices) {
    const group = rooms.get(device.room) ?? []
    rooms.set(device.room, group)
    group.push(device)
  }
  return [...rooms]
    .map(([room, members]) => ({
      room,
      devices: members.sort((a, b) => collate(a.name ?? a.id, b.name ?? b.id)),
    }))
    .sort(
      (a, b) =>
        Number(a.room === undefined) - Number(b.room === undefined) || collate(a.room ?? '', b.room ?? ''),
    )
}

/** Devices of which name, id, type, room or a metric holds every word of the search. */
export function matching(devices: readonly Listed[], search: string): Listed[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return [...devices]
  return devices.filter((device) => {
    const text = [
      device.name ?? '',
      device.id,
      idName(device.id),
      device.type,
      device.room ?? '',
      ...device.series.flatMap(({ metric }) => [metric, metricName(metric)]),
    ]
      .join(' ')
      .toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

/** The first `most` devices over all groups, in order; empty rooms fall away. */
export function firstOf(groups: readonly RoomGroup[], most: number): RoomGroup[] {
  const shown: RoomGroup[] = []
  let left = most
  for (const group of groups) {
    if (left <= 0) break
    shown.push({ room: group.room, devices: group.devices.slice(0, left) })
    left -= group.devices.length
  }
  return shown
}

const first = [
  'motion',
  'door',
  'window_open',
  'occupied',
  'smoke',
  'temperature',
  'temperature_outdoor',
  'humidity',
  'co2',
  'grid_power',
  'pv_power',
  'battery_power',
  'soc',
  'power',
  'energy',
]

function byImportance(a: { metric: string }, b: { metric: string }): number {
  return rank(a.metric) - rank(b.metric) || collate(a.metric, b.metric)
}

function rank(metric: string): number {
  if (metric === 'battery') return first.length + 1
  const place = first.indexOf(metric)
  return place === -1 ? first.length : place
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })
const collate = (a: string, b: string): number => collator.compare(a, b)
