import { Container, MantineProvider } from '@mantine/core'
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { type ReactNode, useState, useSyncExternalStore } from 'react'
import { SignIn } from './account/sign-in.tsx'
import { ApiError } from './api/client.ts'
import { apiKey } from './api/key.ts'
import { useSites } from './api/queries.ts'
import { useLatch } from './latch.ts'
import { LiveProvider } from './live/live.tsx'
import { type Route, useRoute } from './route.ts'
import { useArrival } from './shell/arrival.ts'
import { DemoBanner } from './shell/demo-banner.tsx'
import { Header } from './shell/header.tsx'
import { Loading } from './shell/notes.tsx'
import { cssVariables, theme } from './theme.ts'
import { AccountView } from './views/account.tsx'
import { DeviceView } from './views/device.tsx'
import { HomeView } from './views/home.tsx'
import { IncidentsView } from './views/incidents.tsx'
import { QuarantineView } from './views/quarantine.tsx'
import { SiteView } from './views/site.tsx'
import { TopicsView } from './views/topics.tsx'
import { UnknownView } from './views/unknown.tsx'

export function App() {
  const epoch = useSyncExternalStore(apiKey.subscribe, apiKey.epoch)
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      {/* another key or user is another view of the hub: everything starts anew */}
      <Session key={epoch} />
    </MantineProvider>
  )
}

function Session() {
  const [refusal, setRefusal] = useState<string>()
  const [client] = useState(() => newQueryClient(setRefusal))
  return (
    <QueryClientProvider client={client}>
      {refusal === undefined ? (
        <LiveProvider>
          <Page />
        </LiveProvider>
      ) : (
        <SignIn refusal={refusal} />
      )}
    </QueryClientProvider>
  )
}

function Page() {
  const route = useRoute()
  useArrival(route)
  // the note on simulated data stands above everything: nothing is drawn before it is known whether there is one
  const known = useLatch(!useSites().isPending)
  return (
    <>
      <button className="skip" type="button" onClick={focusMain}>
        Skip to content
      </button>
      <Header />
      <DemoBanner />
      <Container key={known ? 'known' : 'asked'} size="lg" component="main" id="main" tabIndex={-1}>
        {known ? viewOf(route) : <Loading height={320} />}
      </Container>
    </>
  )
}

function viewOf(route: Route): ReactNode {
  switch (route.view) {
    case 'home':
      return <HomeView />
    case 'site':
      return <SiteView key={route.site} site={route.site} />
    case 'device':
      return <DeviceView key={`${route.site}/${route.device}`} route={route} />
    case 'alerts':
      return <IncidentsView />
    case 'quarantine':
      return <QuarantineView />
    case 'account':
      return <AccountView />
    case 'topics':
      return <TopicsView />
    case 'unknown':
      return <UnknownView />
  }
}

function newQueryClient(onRefusal: (sentence: string) => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (error instanceof ApiError && error.status === 401) onRefusal(error.message)
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // what failed is asked again in its time, and not by every part of a view that comes to need it
        retryOnMount: false,
        // a "no" stays a "no"; a hub that restarts is asked again
        retry: (failures, error) =>
          failures < 3 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
      },
    },
  })
}

/** A button, since the address after the # names the view and not a place in it. */
function focusMain(): void {
  document.getElementById('main')?.focus()
}
