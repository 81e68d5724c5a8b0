import { BlockList, isIP } from 'node:net'

/** Addresses and networks in CIDR notation. */
export class Networks {
  readonly #list = new BlockList()

  /** Entries were checked by the configuration. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const [address = '', prefix] = entry.split('/')
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      if (prefix === undefined) this.#list.addAddress(address, family)
      else this.#list.addSubnet(address, Number(prefix), family)
    }
  }

  /** An IPv4 address in IPv6 form (::ffff:192.168.1.5) is the IPv4 address. */
  contains(address: string): boolean {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
    const kind = isIP(plain)
    return kind !== 0 && this.#list.check(plain, kind === 6 ? 'ipv6' : 'ipv4')
  }
}

/** Names that only ever mean this machine. */
export const isLoopbackName = (name: string): boolean =>
  name === 'localhost' || name === '::1' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name)

/** Names that nobody outside can register (RFC 6761, 6762, 8375), and addresses. */
export const isLocalName = (name: string): boolean =>
  isLoopbackName(name) ||
  isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0 ||
  !name.includes('.') ||
  /\.(local|localhost|lan|home|internal|home\.arpa)$/.test(name)
