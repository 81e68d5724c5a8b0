import { Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import {
  createFirstUser,
  signOut,
  useAccess,
  useChangePassword,
  useEndSession,
  useMe,
  useSessions,
} from '../account/session.ts'
import type { Reply } from '../api/client.ts'
import { timeText } from '../format/time.ts'
import { Answer, SectionHead } from '../shell/notes.tsx'
import { PageTitle } from '../shell/page-title.tsx'

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
const shortest = 8

/** The first user of a hub that is open to this machine; later, the account of the one who looks. */
export function AccountView() {
  return (
    <>
      <nav className="crumbs" aria-label="Path">
        <a className="plain-link" href="#/">
          Overview
        </a>
      </nav>
      <Answer of={useMe()}>
        {(me) => (me.kind === 'user' ? <OwnAccount me={me} /> : <NoAccount me={me} />)}
      </Answer>
      <p className="section muted small">
        For programs: <a href="./docs">API docs</a>
      </p>
    </>
  )
}

function NoAccount({ me }: { me: Reply<'me'> }) {
  const access = useAccess()
  if (me.kind !== 'key') return access.data?.users === false ? <FirstUser /> : null
  return (
    <>
      <PageTitle text="Account" />
      <p className="page-sub">
        This page uses the API key “{me.name}” ({me.role}). Keys have no sessions and no preferences.
      </p>
    </>
  )
}

function FirstUser() {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const create = useMutation({ mutationFn: createFirstUser })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate({ name: name.trim(), password })
  }
  return (
    <>
      <PageTitle text="Set up sign-in" />
      <p className="page-sub">
        This hub is open to everybody who uses this machine. Once it has a user, people sign in, and programs
        need an API key (<code>homeostat key create</code>), also over MQTT.
      </p>
      <form className="panel section narrow" aria-label="First user" onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            autoComplete="username"
            maxLength={64}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            description={`At least ${shortest} characters.`}
            autoComplete="new-password"
            maxLength={200}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            error={create.error?.message}
          />
          <Button
            type="submit"
            loading={create.isPending}
            disabled={name.trim() === '' || password.length < shortest}
          >
            Create the first user
          </Button>
        </Stack>
      </form>
    </>
  )
}

function OwnAccount({ me }: { me: Reply<'me'> }) {
  const leave = useMutation({ mutationFn: signOut })
  return (
    <>
      <PageTitle text={me.name} />
      <p className="page-sub">
        {me.role}, {me.sites === null ? 'all sites' : me.sites.join(', ')}
      </p>
      <Button variant="default" loading={leave.isPending} onClick={() => leave.mutate()}>
        Sign out
      </Button>
      <section className="section" aria-label="Where you are signed in">
        <SectionHead title="Where you are signed in" />
        <Answer of={useSessions()}>{(page) => <Sessions sessions={page.items} />}</Answer>
      </section>
      <section className="section" aria-label="New password">
        <SectionHead title="New password" />
        <NewPassword />
      </section>
    </>
  )
}

function Sessions({ sessions }: { sessions: Reply<'sessions'>['items'] }) {
  const end = useEndSession()
  return (
    <div className="panel">
      <ul className="metrics">
        {sessions.map(({ id, device, address, seenAt, kind, current }) => (
          <li key={id} className="session">
            <div>
              <div>{device === '' ? 'Unnamed device' : device}</div>
              <div className="muted small">
                {kind === 'tokens' ? 'Access tokens, ' : ''}
                {address}, last used {timeText(seenAt, zone, 'full')}
              </div>
            </div>
            {current ? (
              <span className="tag">This device</span>
            ) : (
              <Button size="xs" variant="default" loading={end.isPending} onClick={() => end.mutate(id)}>
                Sign out
              </Button>
            )}
          </li>
        ))}
      </ul>
    </div>
  )
}

function NewPassword() {
  const [password, setPassword] = useState('')
  const [newPassword, setNewPassword] = useState('')
  const change = useChangePassword()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    change.mutate(
      { password, newPassword },
      {
        onSuccess: () => {
          setPassword('')
          setNewPassword('')
        },
      },
    )
  }
  return (
    <form className="panel narrow" onSubmit={submit}>
      <Stack>
        <PasswordInput
          label="Present password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          error={change.error?.message}
        />
        <PasswordInput
          label="New password"
          description={`At least ${shortest} characters. The other devices are signed out.`}
          autoComplete="new-password"
          maxLength={200}
          value={newPassword}
          onChange={(event) => setNewPassword(event.currentTarget.value)}
        />
        <Button
          type="submit"
          loading={change.isPending}
          disabled={password === '' || newPassword.length < shortest}
        >
          Change password
        </Button>
        <div role="status">{change.isSuccess ? 'The password was changed.' : ''}</div>
      </Stack>
    </form>
  )
}
