import { ActionIcon, Anchor, Container, useMantineColorScheme } from '@mantine/core'
import { useConnection } from '../live/live.tsx'
import type { Connection } from '../live/socket.ts'
import { AutoIcon, MoonIcon, SunIcon } from './icons.tsx'

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
        <Anchor href="./docs" size="sm" c="inherit">
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

const schemes = {
  auto: { next: 'light', icon: <AutoIcon />, text: 'as the system' },
  light: { next: 'dark', icon: <SunIcon />, text: 'light' },
  dark: { next: 'auto', icon: <MoonIcon />, text: 'dark' },
} as const

function SchemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
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
      onClick={() => setColorScheme(next)}
    >
      {icon}
    </ActionIcon>
  )
}
