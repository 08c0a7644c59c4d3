import { Tooltip } from '@mantine/core'

import type { ConnectionState } from '../live/connection.ts'
import { useConnection } from '../live/live-context.ts'
import type { Tone } from '../ui/tone.tsx'

interface Word {
  readonly tone: Tone
  readonly label: string
  readonly meaning: string
}

const words = {
  idle: { tone: 'none', label: 'Not live', meaning: 'Nothing on this page changes by itself.' },
  connecting: {
    tone: 'none',
    label: 'Connecting',
    meaning: 'The live connection is being opened.',
  },
  live: { tone: 'good', label: 'Live', meaning: 'What happens shows at once.' },
  reconnecting: {
    tone: 'warn',
    label: 'Reconnecting',
    meaning: 'The live connection was lost and is being opened again. What you see may be old.',
  },
  offline: {
    tone: 'bad',
    label: 'Offline',
    meaning: 'There has been no connection for a while. What you see is old; attempts go on.',
  },
} as const satisfies Record<ConnectionState['kind'], Word>

/** Whether what the console shows is fresh. */
export function ConnectionWord() {
  const { kind } = useConnection()
  const { tone, label, meaning } = words[kind]
  return (
    <Tooltip label={meaning} position="right">
      <div className="connection" role="status" data-connection={kind}>
        <span className="dot" data-tone={tone} aria-hidden="true" />
        {label}
      </div>
    </Tooltip>
  )
}
