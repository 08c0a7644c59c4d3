import { SluiceError } from '@sluice/schema/errors'

import type { Output } from '../output.ts'
import type { Inspector } from './inspector.ts'

interface InspectFlags {
  readonly inspect?: boolean | undefined
  readonly inspectPort?: number | undefined
}

/**
 * The inspector that a command wants; null for none. A port that was named has to be free. Without one a tunnel is worth
 * more than its page: when no port is free it goes on alone.
 */
export async function openInspectorFor(
  { inspect, inspectPort: port }: InspectFlags,
  output: Output,
): Promise<Inspector | null> {
  if (inspect === false) return null
  // Loaded only here: most commands never show it.
  const { openInspector } = await import('./inspector.ts')
  try {
    return await openInspector({ port })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    if (port === undefined) {
      output.warning(`There is no inspector page: no port from 4040 on is free (${code}).`)
      return null
    }
    const reason = `The inspector cannot listen on port ${port} (${code}). Choose another --inspect-port.`
    throw new SluiceError('SLUICE_USAGE', { reason, command: 'http' }, { cause: error })
  }
}
