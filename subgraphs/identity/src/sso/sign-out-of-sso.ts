import { forkSystem } from '@sluice/kit/database'

import type { Context } from '../context.ts'
import { isSsoSignIn } from '../sign-in/own-sign-in.ts'
import { signOut } from '../sign-in/sign-in.ts'
import { sessionOwnerOf } from './enter.ts'
import { oidcSignOutUrl } from './oidc.ts'
import { openSamlKeys } from './saml-key.ts'
import { samlSignOutUrl } from './saml.ts'
import { SsoConnection } from './sso-connection.entity.ts'
import type { SsoSession } from './sso-person.ts'
import { SsoProof } from './sso-proof.entity.ts'

/** Ends the sign-in, and answers where to sign out at the identity provider as well; null when it names no place. */
export async function signOutOfSso(context: Context): Promise<string | null> {
  const address = await addressOf(context)
  await signOut(context)
  return address
}

async function addressOf(context: Context): Promise<string | null> {
  const { orm, principal, sso, sealer } = context
  const { signInId } = principal
  // Who came in with an account of their own signs out of that, and of nothing else.
  if (signInId === null || !(await isSsoSignIn(context))) return null
  const em = forkSystem(orm)
  const proof = await em.findOne(SsoProof, { signInId }, { orderBy: { provedAt: 'desc' } })
  const connection = proof && (await em.findOne(SsoConnection, { id: proof.connectionId }))
  if (!proof || !connection) return null
  const { sealedSession: sealed, sealingKeyId } = proof
  let session: SsoSession
  try {
    session = JSON.parse(
      sealer.open({ sealed, sealingKeyId }, sessionOwnerOf(signInId)),
    ) as SsoSession
  } catch (error) {
    // Its key was given up. Signing out here must work all the same.
    sso.log.warn({ err: error, signInId }, 'a session at an identity provider cannot be opened')
    return null
  }
  if (session.kind === 'OIDC') {
    return oidcSignOutUrl(connection.clientId ?? '', session, sso.addressOf('/sign-in'))
  }
  const { saml } = connection
  if (!saml) return null
  // Single logout that anybody could forge would end anybody's session: every request for it is signed (SAML profiles §4.4.3.1).
  const { privateKeys } = await openSamlKeys(orm, sealer, connection)
  return samlSignOutUrl(saml, sso.samlAddresses(connection.id), session, privateKeys[0] ?? null)
}
