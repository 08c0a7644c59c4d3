import { ActionIcon, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { IconCheck, IconCopy } from '@tabler/icons-react'

import { useCliLine } from './cli-program.tsx'

interface CopyProps {
  readonly value: string
  /** What is copied, for the button's name: `Copy the command`. */
  readonly what: string
}

export function Copy({ value, what }: CopyProps) {
  const { copied, copy } = useClipboard({ timeout: 1500 })
  const label = copied ? 'Copied' : `Copy ${what}`
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" onClick={() => copy(value)} aria-label={label}>
        {copied ? <IconCheck size={16} className="tone-good" /> : <IconCopy size={16} />}
      </ActionIcon>
    </Tooltip>
  )
}

interface CommandProps {
  readonly children: string
  readonly what?: string
  /** Not a command: shown without the prompt sign. */
  readonly isPlain?: boolean
}

/** A line to run or paste elsewhere, exactly as it must be, with its copy button. `sluice …` becomes what runs here. */
export function Command({ children, what = 'the command', isPlain = false }: CommandProps) {
  const line = useCliLine(children)
  return (
    <div className="command" data-plain={isPlain || undefined}>
      <code>{line}</code>
      <Copy value={line} what={what} />
    </div>
  )
}
