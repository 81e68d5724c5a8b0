import { ActionIcon, Anchor, Container, useMantineColorScheme } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { savePreference, useAccess, useMe, usePreferences } from '../account/session.ts'
import { useConnection } from '../live/live.tsx'
import type { Connection } from '../live/socket.ts'
import { AutoIcon, MoonIcon, PersonIcon, SunIcon } from './icons.tsx'

export function Header() {
  return (
    <header className="bar">
      <Container size="lg" className="bar-inner">
        <a className="brand" href="#/">
          <img src="./mark.svg" alt="" />
          Homeostat
        </a>
        <span className="grow" />
        <ConnectionState />
        <SchemeSwitch />
        <AccountLink />
        <Anchor href="./docs" size="sm" c="inherit" className="wide-only">
          API docs
        </Anchor>
      </Container>
    </header>
  )
}

const states: Readonly<Record<Connection, { text: string; tone: string }>> = {
  connecting: { text: 'Connecting', tone: 'amber' },
  live: { text: 'Live', tone: 'accent' },
  lost: { text: 'Reconnecting', tone: 'red' },
}

function ConnectionState() {
  const { text, tone } = states[useConnection()]
  return (
    <span className="connection" role="status">
      <span className="dot" data-tone={tone} />
      {text}
    </span>
  )
}

/** To the account of the user who looks, or, on a hub without users, to the form for the first one. */
function AccountLink() {
  const me = useMe().data
  const access = useAccess().data
  const isFree = access?.users === false && access.open
  const text = me?.kind === 'user' ? me.name : isFree ? 'Set up sign-in' : 'Account'
  return (
    <Anchor href="#/account" size="sm" c="inherit" className="account" aria-label={text} title={text}>
      <PersonIcon />
      <span className="wide-only">{text}</span>
    </Anchor>
  )
}

const schemes = {
  auto: { next: 'light', icon: <AutoIcon />, text: 'as the system' },
  light: { next: 'dark', icon: <SunIcon />, text: 'light' },
  dark: { next: 'auto', icon: <MoonIcon />, text: 'dark' },
} as const

function SchemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const client = useQueryClient()
  const isUser = useMe().data?.kind === 'user'
  const wanted = usePreferences(isUser).data?.['theme']
  useEffect(() => {
    if (wanted === 'auto' || wanted === 'light' || wanted === 'dark') setColorScheme(wanted)
  }, [wanted, setColorScheme])
  const { next, icon, text } = schemes[colorScheme]
  const label = `Colours: ${text}. Switch to ${schemes[next].text}`
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      c="inherit"
      aria-label={label}
      title={label}
      onClick={() => {
        setColorScheme(next)
        // the same colours on every device of the user; what cannot be kept still holds here
        if (isUser) void savePreference(client, 'theme', next).catch(() => undefined)
      }}
    >
      {icon}
    </ActionIcon>
  )
}
