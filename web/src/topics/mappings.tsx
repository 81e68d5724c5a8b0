import { Button, VisuallyHidden } from '@mantine/core'
import { useRemoveMapping } from '../api/changes.ts'
import { useMappings } from '../api/queries.ts'
import type { AddedMapping } from '../api/types.ts'
import { deciderText } from '../forecast/life.ts'
import { timeText } from '../format/time.ts'
import { Answer, ErrorNote, SectionHead } from '../shell/notes.tsx'

/** Mappings that were added here; those of the configuration file are not among them. */
export function Mappings({ zone }: { zone: string }) {
  return (
    <section className="section" aria-label="Added mappings">
      <SectionHead title="Added mappings" />
      <div className="panel">
        <Answer of={useMappings()} height={40}>
          {({ items }) =>
            items.length === 0 ? (
              <p className="muted small incident-none">
                None. Those of the configuration file apply, and common devices need none.
              </p>
            ) : (
              <ul className="told" aria-label="Mappings">
                {items.map((added) => (
                  <MappingRow key={added.id} added={added} zone={zone} />
                ))}
              </ul>
            )
          }
        </Answer>
      </div>
    </section>
  )
}

function MappingRow({ added, zone }: { added: AddedMapping; zone: string }) {
  const remove = useRemoveMapping()
  const { mapping, by, at } = added
  return (
    <li>
      <div className="version-foot">
        <span>
          <strong className="topic-name">{mapping.topic}</strong> → {readText(added)}
        </span>
        <Button
          size="compact-xs"
          variant="default"
          loading={remove.isPending}
          onClick={() => remove.mutate(added.id)}
        >
          Remove<VisuallyHidden> the mapping of {mapping.topic}</VisuallyHidden>
        </Button>
      </div>
      <div className="muted small">
        {timeText(at, zone, 'full')}, by {deciderText(by)}
      </div>
      {remove.error && <ErrorNote error={remove.error} />}
    </li>
  )
}

/** What a mapping reads, in one line. */
function readText({ mapping: { metrics, defaults = {}, fields } }: AddedMapping): string {
  const device = defaults.device ?? fields?.device ?? 'device of the topic'
  const names = metrics
    ? Object.values(metrics).map(({ metric, unit }) => [metric, unit].filter(Boolean).join(' in '))
    : [[defaults.metric ?? 'metric of the topic', defaults.unit].filter(Boolean).join(' in ')]
  return `${device}: ${names.join(', ')}`
}
