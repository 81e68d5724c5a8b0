import { Button, Container } from '@mantine/core'
import { useState } from 'react'
import { useRemoveSite } from '../api/changes.ts'
import { useSites } from '../api/queries.ts'
import { useMay } from '../api/role.ts'
import type { Site } from '../api/types.ts'
import { Confirm } from './confirm.tsx'

/** On every view while a site holds simulated data. */
export function DemoBanner() {
  const demo = useSites().data?.find((site) => site.demo)
  return demo ? <Banner site={demo} /> : null
}

function Banner({ site }: { site: Site }) {
  const [asking, setAsking] = useState(false)
  const mayRemove = useMay('admin')
  const remove = useRemoveSite()
  const run = () => remove.mutate(site.id, { onSuccess: () => setAsking(false) })
  return (
    <aside className="demo" aria-label="Simulated data">
      <Container size="lg" className="demo-inner">
        <span>
          <strong>{site.name}</strong>: simulated data
        </span>
        {mayRemove && (
          <Button size="compact-xs" variant="default" onClick={() => setAsking(true)}>
            Remove demo
          </Button>
        )}
      </Container>
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        title={`Remove ${site.name}?`}
        keep="Keep it"
        choices={[{ text: 'Remove', run, busy: remove.isPending }]}
        error={remove.error}
      >
        Its simulated readings, forecasts and models are erased. Nothing else is touched.
      </Confirm>
    </aside>
  )
}
