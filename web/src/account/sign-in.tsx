import { Button, Container, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { apiKey } from '../api/key.ts'
import { signIn, useAccess } from './session.ts'

/** Where the hub wants to know who looks: name and password where there are users, else a key. */
export function SignIn({ refusal }: { refusal: string }) {
  const access = useAccess()
  const [wantsKey, setWantsKey] = useState(false)
  const hasUsers = access.data?.users ?? false
  if (access.isPending) return null
  return (
    <Container size={440} component="main" pt={96}>
      {hasUsers && !wantsKey ? <PasswordForm /> : <KeyForm refusal={refusal} />}
      {hasUsers && (
        <Button variant="subtle" size="sm" mt="md" fullWidth onClick={() => setWantsKey(!wantsKey)}>
          {wantsKey ? 'Sign in with name and password' : 'Use an API key instead'}
        </Button>
      )}
    </Container>
  )
}

function PasswordForm() {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const change = useMutation({ mutationFn: signIn })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    change.mutate({ name, password })
  }
  return (
    <form className="panel" onSubmit={submit}>
      <Stack>
        <Brand />
        <Title order={1} size="h3">
          Sign in
        </Title>
        <TextInput
          label="Name"
          name="username"
          autoFocus
          autoComplete="username"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          name="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          error={change.error?.message}
        />
        <Button type="submit" loading={change.isPending} disabled={name === '' || password === ''}>
          Sign in
        </Button>
      </Stack>
    </form>
  )
}

/** The key stays in this tab and goes nowhere but to the hub. */
function KeyForm({ refusal }: { refusal: string }) {
  const [key, setKey] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (key.trim()) apiKey.set(key.trim())
  }
  const first = apiKey.get() === null
  return (
    <form className="panel" onSubmit={submit}>
      <Stack>
        <Brand />
        <Title order={1} size="h3">
          This hub asks for a key
        </Title>
        <Text size="sm" c="dimmed">
          It is kept in this tab only and forgotten when the tab closes.
        </Text>
        <PasswordInput
          label="API key"
          autoFocus
          autoComplete="off"
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
          error={first ? undefined : refusal}
        />
        <Button type="submit" disabled={key.trim() === ''}>
          Open
        </Button>
      </Stack>
    </form>
  )
}

function Brand() {
  return (
    <a className="brand" href="#/">
      <img src="./mark.svg" alt="" />
      Homeostat
    </a>
  )
}
