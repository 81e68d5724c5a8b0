import { hiddenKey, type Merge, type Removal } from '../core/device.ts'
import type { Device, Site } from '../core/event.ts'
import type { Ledger } from '../core/ports.ts'
import type { Reading } from '../core/reading.ts'

/** What the readings of one turn brought that the ledger does not know yet. */
export interface News {
  readonly sites: readonly Site[]
  readonly devices: readonly Device[]
}

/**
 * The sites and devices that the hub knows, in memory. The ledger holds the same; only what is new goes there,
 * within the turn that saw it first.
 */
export class Directory {
  readonly #ledger: Ledger
  readonly #own: Omit<Site, 'demo'>
  readonly #sites = new Map<string, Site>()
  readonly #devices = new Map<string, Map<string, Device>>()
  readonly #merges = new Map<string, Map<string, Merge>>()
  /** Those that can be undone, the newest last. */
  #removals: Removal[] = []
  #newSites: Site[] = []
  #newDevices = new Set<Device>()

  /** `own` is the hub's own site; a site that is first seen in a reading gets its zone. */
  constructor(ledger: Ledger, own: Omit<Site, 'demo'>) {
    this.#ledger = ledger
    this.#own = own
  }

  async load(): Promise<void> {
    for (const site of await this.#ledger.sites()) this.#sites.set(site.id, site)
    for (const device of await this.#ledger.devices()) this.#devicesOf(device.site).set(device.id, device)
    for (const merge of await this.#ledger.removals.merges()) this.#addMerge(merge)
    this.#removals = (await this.#ledger.removals.list()).reverse()
  }

  sites(): Site[] {
    return [...this.#sites.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  has(site: string): boolean {
    return this.#sites.has(site)
  }

  zoneOf(site: string): string {
    return this.#sites.get(site)?.zone ?? this.#own.zone
  }

  hasDemo(): boolean {
    return this.sites().some((site) => site.demo)
  }

  /** Adds or changes a site at once, durably. */
  async putSite(site: Site): Promise<void> {
    await this.#ledger.putSites([site])
    this.#sites.set(site.id, site)
  }

  /** Says more of devices than their readings do: type and attributes. What people said stays. Durable. */
  async putDevices(devices: readonly Device[]): Promise<void> {
    const put = devices.map((device) => withSaid(device, this.device(device.site, device.id)))
    await this.#ledger.putDevices(put)
    for (const device of put) this.put(device)
  }

  device(site: string, id: string): Device | undefined {
    return this.#devices.get(site)?.get(id)
  }

  /** The ledger has it already. */
  put(device: Device): void {
    const known = this.device(device.site, device.id)
    if (known) this.#newDevices.delete(known)
    this.#devicesOf(device.site).set(device.id, device)
  }

  /** Those that can be undone, the newest last. */
  get removals(): readonly Removal[] {
    return this.#removals
  }

  /** A device or series was removed; the ledger has it already. */
  removed(removal: Removal): void {
    const { site, device, into, metric } = removal
    this.#removals.push(removal)
    if (into !== undefined) this.#addMerge({ site, device, into })
    if (metric !== undefined) return
    const known = this.device(site, device)
    if (known) this.#newDevices.delete(known)
    this.#devices.get(site)?.delete(device)
  }

  restored(removal: Removal): void {
    this.erased(removal)
    if (removal.kind === 'merged') this.#merges.get(removal.site)?.delete(removal.device)
    if (removal.known) this.put(removal.known)
  }

  /** It cannot be undone any more. */
  erased({ id }: Removal): void {
    this.#removals = this.#removals.filter((one) => one.id !== id)
  }

  /** A reading as it is kept: of the device that its own was merged into, in the room that a person gave that. */
  place(reading: Reading): Reading {
    const { site } = reading
    let { device } = reading
    const merges = this.#merges.get(site)
    for (let merge = merges?.get(device); merge; merge = merges?.get(device)) device = merge.into
    const known = this.#devices.get(site)?.get(device)
    const room = known?.fixed?.includes('room') ? known.room : reading.room
    if (device === reading.device && room === reading.room) return reading
    return { ...reading, device, ...(room === undefined ? {} : { room }) }
  }

  hasMerges(site: string): boolean {
    return (this.#merges.get(site)?.size ?? 0) > 0
  }

  /**
   * A reading of a sender for what merges hide: each device of them gets its own readings back when they are undone.
   * On its way from one device into the next, it counts for those merges that came after it was a part of the device.
   */
  shadows(sender: string, reading: Reading): Reading[] {
    const { site, metric } = reading
    const shadows: Reading[] = []
    let device = sender
    let since = -1
    for (;;) {
      for (const [index, removal] of this.#removals.entries()) {
        const isCopied = removal.series.some(({ into }) => into?.device === device && into.metric === metric)
        if (removal.site === site && index > since && isCopied)
          shadows.push({ ...reading, ...hiddenKey({ site, device, metric }, removal.id) })
      }
      const merge = this.#merges.get(site)?.get(device)
      if (!merge) return shadows
      const step = this.#removals.findIndex(
        (one) => one.kind === 'merged' && one.site === site && one.device === device,
      )
      if (step >= 0)
        shadows.push({ ...reading, ...hiddenKey({ site, device, metric }, this.#removals[step]!.id) })
      since = step
      device = merge.into
    }
  }

  /** Takes back that a site was forgotten; its devices come with their next readings, or the next start. */
  remember(site: Site): void {
    this.#sites.set(site.id, site)
  }

  forget(site: string): void {
    this.#sites.delete(site)
    this.#devices.delete(site)
    this.#merges.delete(site)
    this.#removals = this.#removals.filter((removal) => removal.site !== site)
  }

  /** Registers the site and device of a reading. Cheap when they are known. */
  see(reading: Reading): void {
    const devices = this.#devices.get(reading.site)
    const known = devices?.get(reading.device)
    if (known && (reading.room === undefined || known.room === reading.room)) return
    if (!this.#sites.has(reading.site)) {
      const { id, name, zone } = this.#own
      const site = { id: reading.site, name: reading.site === id ? name : reading.site, zone, demo: false }
      this.#sites.set(site.id, site)
      this.#newSites.push(site)
    }
    const room = reading.room ?? known?.room
    const device: Device = {
      ...known,
      site: reading.site,
      id: reading.device,
      type: known?.type ?? typeByMetric.get(reading.metric) ?? 'sensor',
      ...(room === undefined ? {} : { room }),
      attributes: known?.attributes ?? {},
    }
    if (known) this.#newDevices.delete(known)
    this.#devicesOf(reading.site).set(device.id, device)
    this.#newDevices.add(device)
  }

  /** New and changed sites and devices since the last call; they must be written. */
  takeNews(): News | undefined {
    if (this.#newDevices.size === 0 && this.#newSites.length === 0) return undefined
    const news = { sites: this.#newSites, devices: [...this.#newDevices] }
    this.#newSites = []
    this.#newDevices = new Set()
    return news
  }

  /** Takes news back whose commit failed. */
  returnNews(news: News): void {
    this.#newSites = [...news.sites, ...this.#newSites]
    for (const device of news.devices) this.#newDevices.add(device)
  }

  #addMerge(merge: Merge): void {
    const merges = this.#merges.get(merge.site) ?? new Map<string, Merge>()
    this.#merges.set(merge.site, merges.set(merge.device, merge))
  }

  #devicesOf(site: string): Map<string, Device> {
    let devices = this.#devices.get(site)
    if (!devices) {
      devices = new Map()
      this.#devices.set(site, devices)
    }
    return devices
  }
}

/** What a source knows of a device, with what people said of it. */
function withSaid(device: Device, known: Device | undefined): Device {
  if (!known) return device
  const { name, role, hidden, fixed } = known
  const room = fixed?.includes('room') ? known.room : device.room
  return {
    ...device,
    ...(fixed?.includes('type') ? { type: known.type } : {}),
    ...(room === undefined ? {} : { room }),
    ...(name === undefined ? {} : { name }),
    ...(role === undefined ? {} : { role }),
    ...(hidden === undefined ? {} : { hidden }),
    ...(fixed === undefined ? {} : { fixed }),
  }
}

/** A first guess of what a device is, by the metric that it was first seen with. */
const typeByMetric: ReadonlyMap<string, string> = new Map(
  Object.entries({
    power: 'appliance',
    energy: 'appliance',
    energy_total: 'appliance',
    pv_power: 'pv',
    battery_power: 'battery',
    soc: 'battery',
    grid_power: 'meter',
    motion: 'motion',
    door: 'door',
    temperature: 'climate',
    humidity: 'climate',
    co2: 'climate',
    smoke: 'smoke-detector',
    tvoc: 'smoke-detector',
  }),
)
