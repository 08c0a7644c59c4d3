import { forkSystem, type Orm } from '@sluice/kit/database'
import type { Log } from '@sluice/kit/log'
import type { Redis } from 'ioredis'

import { announceChange } from './announce.ts'

/** Tells relays that agent tokens of organizations hold something else now: another plan, another domain. */
export interface ChangeTelling {
  /** Soon, so that a transaction which is still open is over by then. */
  changed(organizationId: string): void
  close(): void
}

const changedDelayMs = 500

export function openChangeTelling(options: { orm: Orm; redis: Redis; log: Log }): ChangeTelling {
  const { orm, log } = options
  const waiting = new Set<string>()
  let timer: NodeJS.Timeout | undefined

  const tell = async (): Promise<void> => {
    timer = undefined
    const organizationIds = [...waiting]
    waiting.clear()
    try {
      await announceChange(options, await startedTunnelsOf(orm, organizationIds))
    } catch (error) {
      // Agents renew within minutes all the same.
      log.warn({ err: error }, 'changes were not told')
    }
  }
  return {
    changed(organizationId) {
      waiting.add(organizationId)
      timer ??= setTimeout(() => void tell(), changedDelayMs)
    },
    close: () => clearTimeout(timer),
  }
}

/** The ids of tunnels that an agent may be serving. */
export async function startedTunnelsOf(
  orm: Orm,
  organizationIds: readonly string[],
): Promise<string[]> {
  const rows = await forkSystem(orm).execute<{ id: string }[]>(
    `select id from tunnels.tunnel
     where organization_id = any (?::uuid[]) and started_at is not null and deleted_at is null`,
    [`{${organizationIds.join(',')}}`],
  )
  return rows.map(({ id }) => id)
}
