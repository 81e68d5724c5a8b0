import { Button, Container, Group, Modal, Text } from '@mantine/core'
import { useState } from 'react'
import { useRemoveSite, useSites } from '../api/queries.ts'
import type { Site } from '../api/types.ts'
import { ErrorNote } from './notes.tsx'

/** On every view while a site holds simulated data. */
export function DemoBanner() {
  const demo = useSites().data?.find((site) => site.demo)
  return demo ? <Banner site={demo} /> : null
}

function Banner({ site }: { site: Site }) {
  const [asking, setAsking] = useState(false)
  const remove = useRemoveSite()
  const confirm = () => remove.mutate(site.id, { onSuccess: () => setAsking(false) })
  return (
    <aside className="demo" aria-label="Simulated data">
      <Container size="lg" className="demo-inner">
        <span>
          <strong>{site.name}</strong>: simulated data
        </span>
        <Button size="compact-xs" variant="default" onClick={() => setAsking(true)}>
          Remove demo
        </Button>
      </Container>
      <Modal.Root opened={asking} onClose={() => setAsking(false)} centered>
        <Modal.Overlay />
        <Modal.Content>
          <Modal.Body p="lg">
            <Modal.Title fw={600} mb="xs">
              Remove {site.name}?
            </Modal.Title>
            <Text size="sm">
              Its simulated readings, forecasts and models are erased. Nothing else is touched.
            </Text>
            {remove.error && <ErrorNote error={remove.error} />}
            <Group justify="flex-end" mt="lg">
              <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
                Keep it
              </Button>
              <Button onClick={confirm} loading={remove.isPending}>
                Remove
              </Button>
            </Group>
          </Modal.Body>
        </Modal.Content>
      </Modal.Root>
    </aside>
  )
}
