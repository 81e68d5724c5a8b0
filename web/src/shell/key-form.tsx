import { Button, Container, PasswordInput, Stack, Text, Title } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { apiKey } from '../api/key.ts'

/** Where the hub wants a key. It stays in this tab and goes nowhere but to the hub. */
export function KeyForm({ refusal }: { refusal: string }) {
  const [key, setKey] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (key.trim()) apiKey.set(key.trim())
  }
  const first = apiKey.get() === null
  return (
    <Container size={440} component="main" pt={96}>
      <form className="panel" onSubmit={submit}>
        <Stack>
          <a className="brand" href="#/">
            <img src="./mark.svg" alt="" />
            Homeostat
          </a>
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
    </Container>
  )
}
