import { Badge, Text } from '@mantine/core'

import { Ago } from '../ui/time.tsx'
import { stateOf } from './terms.ts'

interface Used {
  readonly lastUsedAt: string | null
  readonly lastUsedIp: string | null
}

export function LastUsed({ lastUsedAt, lastUsedIp }: Used) {
  return (
    <>
      {lastUsedAt ? <Ago at={lastUsedAt} /> : 'never'}
      {lastUsedIp && (
        <Text size="xs" c="dimmed" className="mono">
          {lastUsedIp}
        </Text>
      )}
    </>
  )
}

interface Terms {
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  readonly successorId: string | null
  readonly allowedIps: readonly string[]
}

/** Until when and from where a credential is good. */
export function GoodFor({ expiresAt, revokedAt, successorId, allowedIps }: Terms) {
  const state = stateOf({ expiresAt, revokedAt }, Date.now())
  return (
    <>
      {state === 'good' && (expiresAt ? <Ago at={expiresAt} /> : 'no end')}
      {state === 'ends-soon' && expiresAt && (
        <Badge color="yellow" variant="light">
          Ends <Ago at={expiresAt} />
        </Badge>
      )}
      {state === 'expired' && <Badge data-quiet>{successorId ? 'Replaced' : 'Expired'}</Badge>}
      {state === 'revoked' && <Badge data-quiet>{successorId ? 'Replaced' : 'Revoked'}</Badge>}
      {allowedIps.length > 0 && (
        <Text size="xs" c="dimmed" className="mono" title={allowedIps.join('\n')}>
          {allowedIps[0]}
          {allowedIps.length > 1 && ` and ${allowedIps.length - 1} more`}
        </Text>
      )}
    </>
  )
}

/** Whether anything can still be done with it. */
export function isGood(terms: Pick<Terms, 'expiresAt' | 'revokedAt'>): boolean {
  return ['good', 'ends-soon'].includes(stateOf(terms, Date.now()))
}
