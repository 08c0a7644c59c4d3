import type { RestRoute } from '@sluice/kit/rest'
import { SluiceError } from '@sluice/schema/errors'
import { z } from 'zod'

import type { Deps } from '../context.ts'
import { internalKeysAskedAt } from '../rotation/internal-keys.ts'
import { revocationsSince } from './revocation-list.ts'

const Asked = z.object({ since: z.iso.datetime() })

/** `POST /internal/revocations`: the gateway reads the revoke list, and whether it should have another key. */
export function revocationsRoute(deps: Deps): RestRoute {
  return {
    method: 'POST',
    path: '/internal/revocations',
    async handle({ caller, json }) {
      if (caller.principal.kind !== 'gateway') throw new SluiceError('SLUICE_UNAUTHENTICATED')
      const asked = Asked.safeParse(json())
      if (!asked.success) {
        const reason = '`since` is no time'
        throw new SluiceError('SLUICE_INPUT_INVALID', { reason }, { cause: asked.error })
      }
      const [revocations, keysAskedAt] = await Promise.all([
        revocationsSince(deps, new Date(asked.data.since)),
        internalKeysAskedAt(deps.orm),
      ])
      return { status: 200, body: { revocations, keysAskedAt } }
    },
  }
}
