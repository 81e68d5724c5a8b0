import { Button, VisuallyHidden } from '@mantine/core'
import { useState } from 'react'
import { usePromote, useRollBack } from '../api/changes.ts'
import { useMay } from '../api/role.ts'
import type { Card } from '../api/types.ts'
import { timeText } from '../format/time.ts'
import { withVersions } from '../format/version.ts'
import { Confirm } from '../shell/confirm.tsx'
import { gateSentence, verdictOf } from './score.ts'

interface ActionProps {
  readonly card: Card
  readonly zone: string
}

/** The one action on a version: roll it back, or make it live. */
export function VersionAction({ card, before, zone }: ActionProps & { readonly before: Card | undefined }) {
  const mayChange = useMay('operator')
  // what is damaged is never loaded again
  if (!mayChange || card.status === 'refused') return null
  return card.live ? (
    <RollBack card={card} before={before} zone={zone} />
  ) : (
    <Promote card={card} zone={zone} />
  )
}

function RollBack({ card, before, zone }: ActionProps & { readonly before: Card | undefined }) {
  const [asking, setAsking] = useState(false)
  const change = useRollBack(card.target)
  const to = (version: string) => ({
    run: () => change.mutate(version, { onSuccess: () => setAsking(false) }),
    busy: change.isPending && change.variables === version,
  })
  const choices = [{ text: 'To the naive forecast', ...to('naive') }]
  if (before) choices.push({ text: 'To the version before', ...to(before.model.version) })
  const learnt = timeText(card.trainedAt, zone, 'full')
  return (
    <>
      <AskButton text="Roll back…" of={learnt} onClick={() => setAsking(true)} />
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        title="Roll back?"
        keep="Keep it"
        choices={choices}
        error={change.error}
      >
        <p>
          The version of {learnt} is live no more.{' '}
          {before
            ? `The version before it was learnt on ${timeText(before.trainedAt, zone, 'full')}.`
            : 'There is no version before it, so the naive forecast is live.'}
        </p>
        <p className="muted">It is kept, and can be made live again by force.</p>
      </Confirm>
    </>
  )
}

function Promote({ card, zone }: ActionProps) {
  const [asking, setAsking] = useState(false)
  const change = usePromote(card.target)
  const { version } = card.model
  const force = card.status === 'rejected'
  const run = () => change.mutate({ version, force }, { onSuccess: () => setAsking(false) })
  const learnt = timeText(card.trainedAt, zone, 'full')
  const said = gateSentence(card)
  return (
    <>
      <AskButton
        text={force ? 'Make live by force…' : 'Make live…'}
        of={learnt}
        onClick={() => setAsking(true)}
      />
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        title={force ? 'Make it live by force?' : 'Make it live?'}
        keep="Leave it"
        choices={[
          { text: force ? 'Make live by force' : 'Make live', run, busy: change.isPending, forced: force },
        ]}
        error={change.error}
      >
        <p>
          The version of {learnt} is {verdictOf(card).tag.toLowerCase()}:{' '}
          {withVersions(verdictOf(card).sentence, zone)}
        </p>
        {said !== undefined && <p>Verdict of the gate: {withVersions(said, zone)}</p>}
        <p className="muted">
          {force
            ? 'By force it goes live at once all the same. The history records that it was forced, and by whom.'
            : 'It goes live at once. The version that is live now is kept.'}
        </p>
      </Confirm>
    </>
  )
}

function AskButton({ text, of, onClick }: { text: string; of: string; onClick: () => void }) {
  return (
    <Button size="compact-xs" variant="default" onClick={onClick}>
      {text}
      <VisuallyHidden> The version of {of}</VisuallyHidden>
    </Button>
  )
}
