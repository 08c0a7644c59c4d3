import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

import type { Problem } from '../graph/problem.ts'
import { ProblemNote } from './problem-note.tsx'

interface Props {
  readonly isOpen: boolean
  /** Names the object: `Delete the tunnel calm-otter?` */
  readonly title: string
  /** What happens to whom when it is done. */
  readonly effect: ReactNode
  readonly action: string
  /** Answers the problem that kept it from being done, or null. */
  readonly onConfirm: () => Promise<Problem | null>
  readonly onClose: () => void
}

/** Asks before something that cannot be taken back, and says what it does. */
export function Confirm({ isOpen, title, effect, action, onConfirm, onClose }: Props) {
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)

  const close = () => {
    setProblem(null)
    onClose()
  }
  const confirm = async () => {
    setBusy(true)
    const found = await onConfirm()
    setBusy(false)
    setProblem(found)
    if (!found) onClose()
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title={title}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack>
        <Text size="sm">{effect}</Text>
        {problem && <ProblemNote problem={problem} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus>
            Keep it
          </Button>
          <Button color="red.8" loading={isBusy} onClick={() => void confirm()}>
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
