import type { Tone } from '../ui/tone.tsx'
import type { ConnectionState } from './connection.ts'

interface Word {
  readonly tone: Tone
  readonly label: string
  readonly meaning: string
}

/** What each state of the live connection is called, and what it means for what one sees. */
export const connectionWords = {
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
