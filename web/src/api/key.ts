const slot = 'homeostat.key'
const listeners = new Set<() => void>()
let epoch = 0
const tell = (): void => {
  epoch++
  for (const listener of listeners) listener()
}

/** The API key of this tab: gone when the tab closes. */
export const apiKey = {
  get: (): string | null => sessionStorage.getItem(slot),
  set(key: string): void {
    sessionStorage.setItem(slot, key)
    tell()
  },
  /** Whoever looks is somebody else now: by a cookie, or nobody. */
  clear(): void {
    sessionStorage.removeItem(slot)
    tell()
  },
  /** Changes with every `set` and `clear`. */
  epoch: (): number => epoch,
  subscribe(listener: () => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
}
