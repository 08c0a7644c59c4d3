import type { TunnelStatus } from '../gql/graphql.ts'
import type { Tone } from '../ui/tone.tsx'
import { StateWord } from '../ui/tone.tsx'

interface Word {
  readonly tone: Tone
  readonly label: string
  /** What it means for visitors, and what one can do. */
  readonly meaning: string
}

/** The fixed vocabulary of tunnel states. */
export const tunnelStates = {
  ONLINE: {
    tone: 'good',
    label: 'Online',
    meaning: 'An agent is connected and visitors reach the service.',
  },
  OFFLINE: {
    tone: 'warn',
    label: 'Offline',
    meaning: 'It was started, but no agent is connected: visitors get 503. Start the agent again.',
  },
  STOPPED: {
    tone: 'none',
    label: 'Stopped',
    meaning: 'It keeps its name and address. Visitors get 503 until an agent starts it.',
  },
  DELETED: { tone: 'bad', label: 'Deleted', meaning: 'It is gone and its address is free.' },
} as const satisfies Record<TunnelStatus, Word>

export function StatusWord({ status }: { status: TunnelStatus }) {
  const { tone, label } = tunnelStates[status]
  return <StateWord tone={tone}>{label}</StateWord>
}
