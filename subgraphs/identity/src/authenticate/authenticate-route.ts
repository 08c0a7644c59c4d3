import type { RestRoute } from '@sluice/kit/rest'
import { SluiceError } from '@sluice/schema/errors'

import type { Deps } from '../context.ts'
import { authenticate, AuthenticateRequest } from './authenticate.ts'

/** `POST /internal/authenticate`: the gateway, and nobody else, asks who holds a credential. */
export function authenticateRoute(deps: Deps): RestRoute {
  return {
    method: 'POST',
    path: '/internal/authenticate',
    bodyBytesMax: 16 * 1024,
    async handle({ caller, json }) {
      // A signed header of a person would let them try credentials as the gateway.
      if (caller.principal.kind !== 'gateway') throw new SluiceError('SLUICE_UNAUTHENTICATED')
      const asked = AuthenticateRequest.safeParse(json())
      if (!asked.success) {
        const reason = 'the body is not a credential'
        throw new SluiceError('SLUICE_INPUT_INVALID', { reason }, { cause: asked.error })
      }
      return { status: 200, body: await authenticate(deps, asked.data) }
    },
  }
}
