import { useSyncExternalStore } from 'react'

export const ranges = ['24h', '7d', '30d', '1y'] as const
export type Range = (typeof ranges)[number]

/** What the page shows; every view is an address after the #, so that it can be linked. */
export type Route =
  | { readonly view: 'home' }
  | { readonly view: 'site'; readonly site: string }
  | {
      readonly view: 'device'
      readonly site: string
      readonly device: string
      readonly metric?: string
      readonly range: Range
    }
  | { readonly view: 'alerts' }
  | { readonly view: 'quarantine' }
  | { readonly view: 'account' }
  | { readonly view: 'topics' }
  | { readonly view: 'unknown' }

/** Views without anything more in their address. */
const plainViews = ['alerts', 'quarantine', 'topics', 'account'] as const

export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#/, '').split('?')
  const parts = path.split('/').filter(Boolean).map(decode)
  const query = new URLSearchParams(search)
  const [view, site, device] = parts
  if (view === undefined) return { view: 'home' }
  const plain = plainViews.find((known) => known === view)
  if (plain !== undefined && parts.length === 1) return { view: plain }
  if (view === 'site' && site && parts.length === 2) return { view, site }
  if (view === 'device' && site && device && parts.length === 3) {
    const metric = query.get('metric')
    const range = ranges.find((known) => known === query.get('range')) ?? '24h'
    return metric ? { view, site, device, metric, range } : { view, site, device, range }
  }
  return { view: 'unknown' }
}

export function hrefOf(route: Route): string {
  if (route.view === 'site') return `#/site/${encodeURIComponent(route.site)}`
  if (route.view === 'device') {
    const query = new URLSearchParams()
    if (route.metric) query.set('metric', route.metric)
    if (route.range !== '24h') query.set('range', route.range)
    const search = query.size > 0 ? `?${query}` : ''
    return `#/device/${encodeURIComponent(route.site)}/${encodeURIComponent(route.device)}${search}`
  }
  return plainViews.some((view) => view === route.view) ? `#/${route.view}` : '#/'
}

/** The view that the address names; follows the address. */
export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => window.location.hash))
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener)
  return () => window.removeEventListener('hashchange', listener)
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
