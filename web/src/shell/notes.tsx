import { Alert, Skeleton, Stack } from '@mantine/core'
import type { ReactNode } from 'react'

/** What went wrong, in the hub's own sentence. */
export function ErrorNote({ error }: { error: Error }) {
  return (
    <Alert
      role="alert"
      color="red"
      variant="light"
      mt="md"
      styles={{ root: { background: 'var(--red-soft)' }, message: { color: 'var(--red)' } }}
    >
      {error.message}
    </Alert>
  )
}

interface Asked<Data> {
  readonly data: Data | undefined
  readonly error: Error | null
}

/** The answer of a query once it is there; before that its shape in grey, or the sentence of its error. */
export function Answer<Data>({
  of,
  children,
  height = 120,
}: {
  of: Asked<Data>
  children: (data: Data) => ReactNode
  height?: number
}) {
  if (of.data !== undefined) return children(of.data)
  return of.error ? <ErrorNote error={of.error} /> : <Loading height={height} />
}

export function Loading({ height = 120 }: { height?: number }) {
  return (
    <Stack gap="sm" aria-busy="true" aria-label="Loading" role="status">
      <Skeleton height={height} radius="lg" />
    </Stack>
  )
}

/** A heading with what belongs to it at its right. */
export function SectionHead({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="section-head">
      <h2 className="section-title">{title}</h2>
      {children}
    </div>
  )
}
