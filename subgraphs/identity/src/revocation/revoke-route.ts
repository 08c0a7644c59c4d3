import { addressOf } from '@sluice/kit/network'
import type { RestRoute } from '@sluice/kit/rest'
import { SluiceError } from '@sluice/schema/errors'

import { apiKeyRules } from '../api-key/api-key.ts'
import { authtokenRules } from '../authtoken/authtoken.ts'
import { createContext, type Context, type Deps } from '../context.ts'
import { revokeCredential } from '../credential/credentials.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { inputInvalid } from '../text.ts'
import { revokeSecret } from './revoke-secret.ts'

const formType = 'application/x-www-form-urlencoded'

/**
 * `POST /v1/auth/token/revoke` in the form of RFC 7009: `token=` ends what it shows, whoever sends it, and the answer is 200
 * for whatever it was (§2.2). Beyond the RFC, a signed-in member names an authtoken or an API key by `id=`.
 */
export function revokeRoute(deps: Deps): RestRoute {
  return {
    method: 'POST',
    path: '/v1/auth/token/revoke',
    bodyBytesMax: 16 * 1024,
    async handle({ caller, form }) {
      const type = caller.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
      if (type !== formType) throw inputInvalid(`the body is not ${formType}`)
      const context = createContext(deps, caller)
      const fields = form()
      const [token, id] = [fields.get('token'), fields.get('id')]
      if (id) await revokeById(context, id)
      else if (token) {
        await deps.attempts.count(attemptLimits.revokeByIp, addressOf(caller.visitorIp))
        await revokeSecret(context, token)
      } else throw inputInvalid('token is missing')
      return { status: 200 }
    },
  }
}

/** Ids are unique over both kinds: what is no authtoken may be an API key. */
async function revokeById(context: Context, id: string): Promise<void> {
  try {
    await revokeCredential(context, authtokenRules, id)
  } catch (error) {
    const unknown = error instanceof SluiceError && error.code === 'SLUICE_AUTHTOKEN_NOT_FOUND'
    if (!unknown) throw error
    await revokeCredential(context, apiKeyRules, id)
  }
}
