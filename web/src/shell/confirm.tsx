import { Button, Group, Modal } from '@mantine/core'
import type { ReactNode } from 'react'
import { ErrorNote } from './notes.tsx'

interface Choice {
  readonly text: string
  readonly run: () => void
  readonly busy: boolean
  /** Against what the hub advises: coloured as a warning. */
  readonly forced?: boolean
}

interface ConfirmProps {
  readonly opened: boolean
  readonly onClose: () => void
  readonly title: string
  /** What leaves everything as it is; has the focus at first. */
  readonly keep: string
  readonly choices: readonly Choice[]
  readonly error: Error | null
  readonly children: ReactNode
}

/** Asks before something is done, and says what it will do. */
export function Confirm({ opened, onClose, title, keep, choices, error, children }: ConfirmProps) {
  const busy = choices.some((choice) => choice.busy)
  return (
    <Modal.Root opened={opened} onClose={onClose} centered size={570}>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body p="lg">
          <Modal.Title fw={600} mb="xs">
            {title}
          </Modal.Title>
          <div className="asked">{children}</div>
          {error && <ErrorNote error={error} />}
          <Group justify="flex-end" mt="lg" gap="sm">
            <Button variant="default" onClick={onClose} data-autofocus>
              {keep}
            </Button>
            {choices.map(({ text, run, forced = false, busy: own }) => (
              <Button
                key={text}
                onClick={run}
                loading={own}
                disabled={busy && !own}
                className={forced ? 'forced' : ''}
              >
                {text}
              </Button>
            ))}
          </Group>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}
