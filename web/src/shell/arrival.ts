import { useEffect, useRef } from 'react'
import { hrefOf, type Route } from '../route.ts'

const seen = 'seen'

/**
 * A view that a link led to begins at its top and takes the focus, as a new page would. Back and forward leave
 * scrolling to the browser, which knows the place; an entry of the history that was seen bears a mark.
 */
export function useArrival(route: Route): void {
  const address = route.view === 'device' ? hrefOf({ ...route, metric: '', range: '24h' }) : hrefOf(route)
  const last = useRef(address)

  useEffect(() => {
    const state: unknown = window.history.state
    if (state !== seen) window.history.replaceState(seen, '')
    if (last.current === address) return
    last.current = address
    if (state === seen) return
    window.scrollTo(0, 0)
    document.getElementById('main')?.focus({ preventScroll: true })
  })
}
