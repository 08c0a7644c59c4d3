import { Alert, Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { IconBan } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useState } from 'react'

import type { Problem } from '../graph/problem.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'

export const reasonCharactersMax = 500

interface Props {
  readonly isOpen: boolean
  readonly title: string
  /** What happens to whom. */
  readonly effect: ReactNode
  /** Answers the problem that kept it from being done, or null. */
  readonly onSuspend: (reason: string) => Promise<Problem | null>
  readonly onClose: () => void
}

/** Asks for the reason, which the customer reads. */
export function SuspendDialog({ isOpen, title, effect, onSuspend, onClose }: Props) {
  const [reason, setReason] = useState('')
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const close = () => {
    setReason('')
    setProblem(null)
    onClose()
  }
  const suspend = async () => {
    setBusy(true)
    const found = await onSuspend(reason)
    setBusy(false)
    if (found) setProblem(found)
    else close()
  }
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title={title}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void suspend()
        }}
      >
        <Stack>
          <Text size="sm">{effect}</Text>
          <Textarea
            label="Reason"
            description="The customer reads it."
            value={reason}
            maxLength={reasonCharactersMax}
            onChange={(event) => setReason(event.currentTarget.value)}
            autosize
            minRows={2}
            required
            data-autofocus
          />
          {problem && <ProblemNote problem={problem} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" color="red.8" loading={isBusy}>
              Suspend
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

/** Says that something is suspended, since when and why. */
export function SuspendedNote({
  title,
  suspension,
}: {
  title: string
  suspension: { readonly at: string; readonly reason: string }
}) {
  return (
    <Alert variant="light" color="red" icon={<IconBan size={18} />} title={title} mb="md">
      {suspension.reason} (<Ago at={suspension.at} />)
    </Alert>
  )
}
