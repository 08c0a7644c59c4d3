import { Button, Group, Modal, Select, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import type { FormEvent, ReactNode } from 'react'

import type { Problem } from '../graph/problem.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { overlaps } from './terms.ts'

interface Props {
  /** The one that is to be replaced; null while the dialog is closed. */
  readonly name: string | null
  /** `authtoken` or `API key`. */
  readonly what: string
  readonly isBusy: boolean
  readonly problem: Problem | null
  /** Answers the new secret, or null when there is a problem. */
  readonly onRotate: (overlapSeconds: number) => Promise<string | null>
  readonly onClose: () => void
  /** How the new secret is shown, this once. */
  readonly show: (secret: string) => ReactNode
}

/** Puts a new secret in the place of an old one, which stays good for as long as one chooses. */
export function RotateDialog({ name, what, isBusy, problem, onRotate, onClose, show }: Props) {
  const [secret, setSecret] = useState<string | null>(null)

  const close = () => {
    setSecret(null)
    onClose()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    setSecret(await onRotate(Number(formText(event.currentTarget, 'overlap'))))
  }

  return (
    <Modal
      opened={name !== null}
      onClose={close}
      // A click beside the dialog must not throw away what is shown only once.
      closeOnClickOutside={secret === null}
      size="lg"
      title={secret ? `Your new ${what}` : `Rotate ${name}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {secret ? (
        <Stack>
          {show(secret)}
          <Group justify="flex-end">
            <Button onClick={close}>I have copied it</Button>
          </Group>
        </Stack>
      ) : (
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            {problem && <ProblemNote problem={problem} />}
            <Text size="sm">
              A new {what} takes its place, with the same rights and addresses, and lives as long.
            </Text>
            <Select
              label="The old one stays good for"
              name="overlap"
              data={overlaps}
              defaultValue="86400"
              allowDeselect={false}
              data-autofocus
            />
            <Group justify="flex-end">
              <Button type="submit" loading={isBusy}>
                Rotate
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}
