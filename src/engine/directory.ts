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

  /** Says more of devices than their readings do: type and attributes. Durable. */
  async putDevices(devices: readonly Device[]): Promise<void> {
    await this.#ledger.putDevices(devices)
    for (const device of devices) this.#devicesOf(device.site).set(device.id, device)
  }

  /** Takes back that a site was forgotten; its devices come with their next readings, or the next start. */
  remember(site: Site): void {
    this.#sites.set(site.id, site)
  }

  forget(site: string): void {
    this.#sites.delete(site)
    this.#devices.delete(site)
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

  #devicesOf(site: string): Map<string, Device> {
    let devices = this.#devices.get(site)
    if (!devices) {
      devices = new Map()
      this.#devices.set(site, devices)
    }
    return devices
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
