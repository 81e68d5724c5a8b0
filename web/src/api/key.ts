const slot = 'homeostat.key'
const listeners = new Set<() => void>()

/** The API key of this tab: gone when the tab closes. */
export const apiKey = {
  get: (): string | null => sessionStorage.getItem(slot),
  set(key: string): void {
    sessionStorage.setItem(slot, key)
    for (const listener of listeners) listener()
  },
  subscribe(listener: () => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
}
