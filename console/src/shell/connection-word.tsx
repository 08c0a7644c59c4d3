import { Tooltip } from '@mantine/core'

import { connectionWords } from '../live/connection-words.ts'
import { useConnection } from '../live/live-context.ts'

/** Whether what the console shows is fresh. */
export function ConnectionWord() {
  const { kind } = useConnection()
  const { tone, label, meaning } = connectionWords[kind]
  return (
    <Tooltip label={meaning} position="right">
      <div className="connection" role="status" data-connection={kind}>
        <span className="dot" data-tone={tone} aria-hidden="true" />
        {label}
      </div>
    </Tooltip>
  )
}
