import type { Sealer } from '@sluice/kit/sealer'
import { SluiceError } from '@sluice/schema/errors'

import type { OidcClient } from './oidc.ts'
import type { SsoConnection } from './sso-connection.entity.ts'

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
