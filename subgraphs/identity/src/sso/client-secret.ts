import type { EntityManager } from '@sluice/kit/database'
import type { Sealer } from '@sluice/kit/sealer'
import { SluiceError } from '@sluice/schema/errors'

import type { OidcClient } from './oidc.ts'
import { SsoConnection } from './sso-connection.entity.ts'

/** Whom a sealed client secret belongs to: moved to another connection it does not open. */
export function secretOwnerOf(connectionId: string): string {
  return `sso-client-secret:${connectionId}`
}

/** The client of a connection, its secret open. Throws SLUICE_SSO_INCOMPLETE while it is not named. */
export function clientOf(connection: SsoConnection, sealer: Sealer): OidcClient {
  const { id, issuer, clientId, sealedClientSecret: sealed, sealingKeyId } = connection
  if (!issuer || !clientId || !sealed || !sealingKeyId) {
    throw new SluiceError('SLUICE_SSO_INCOMPLETE')
  }
  return {
    issuer,
    clientId,
    clientSecret: sealer.open({ sealed, sealingKeyId }, secretOwnerOf(id)),
  }
}

/** Seals anew what an older key has sealed, so that the older key can be given up. Answers how many it could not open. */
export async function resealClientSecrets(em: EntityManager, sealer: Sealer): Promise<number> {
  const old = await em.find(SsoConnection, {
    sealedClientSecret: { $ne: null },
    sealingKeyId: { $ne: sealer.currentKeyId },
  })
  let failed = 0
  for (const connection of old) {
    const { id, sealedClientSecret } = connection
    try {
      const again = sealer.seal(clientOf(connection, sealer).clientSecret, secretOwnerOf(id))
      // A secret that was given anew meanwhile stays.
      await em.nativeUpdate(
        SsoConnection,
        { id, sealedClientSecret },
        { sealedClientSecret: again.sealed, sealingKeyId: again.sealingKeyId },
      )
    } catch {
      // Its key was taken from the configuration too early. Given back, the next start finds the row again.
      failed += 1
    }
  }
  return failed
}
