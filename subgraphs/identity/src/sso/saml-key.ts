import { X509Certificate } from 'node:crypto'

import { forkSystem, type EntityManager, type Orm } from '@sluice/kit/database'
import { assertMay } from '@sluice/kit/principal'
import type { Sealer } from '@sluice/kit/sealer'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { inputInvalid } from '../text.ts'
import { changeSso, recordSso, type SsoActor } from './change-sso.ts'
import { SamlKey } from './saml-key.entity.ts'
import { newCertifiedKey } from './self-signed-certificate.ts'
import { SsoConnection } from './sso-connection.entity.ts'

/** Long: identity providers pin the key, and many refuse an expired certificate. Keys are changed by rotating them. */
const certificateDays = 10 * 365
/** One in use, and one that is made known at the identity provider before it takes over. */
const samlKeysMax = 2

/** Our keys for one SAML connection, opened: the first signs, any of them may be encrypted for. */
export interface SamlKeys {
  readonly privateKeys: readonly string[]
  readonly certificates: readonly string[]
}

/** The keys of a connection, the one that signs first. */
export function findSamlKeys(em: EntityManager, connectionId: string): Promise<SamlKey[]> {
  return em.find(SamlKey, { connectionId }, { orderBy: { createdAt: 'asc', id: 'asc' } })
}

export async function openSamlKeys(
  orm: Orm,
  sealer: Sealer,
  { id }: Pick<SsoConnection, 'id'>,
): Promise<SamlKeys> {
  const keys = await findSamlKeys(forkSystem(orm), id)
  return {
    privateKeys: keys.map((key) => openKey(key, sealer)),
    certificates: keys.map(({ certificate }) => certificate),
  }
}

/** The key that signs requests to the identity provider; null where it wants none signed, or there is no key. */
export function requestKeyOf(
  { signsRequests, saml }: Pick<SsoConnection, 'signsRequests' | 'saml'>,
  { privateKeys }: SamlKeys,
): string | null {
  return signsRequests || saml?.wantsSignedRequests ? (privateKeys[0] ?? null) : null
}

/** Gives a connection its first key. Part of the caller's transaction, who has locked the organization. */
export async function ensureSamlKey(
  context: Context,
  em: EntityManager,
  connection: SsoConnection,
): Promise<void> {
  if ((await em.count(SamlKey, { connectionId: connection.id })) === 0) {
    await makeKey(context, em, connection)
  }
}

/**
 * Begins a rotation: the new key is in our metadata at once, and what is encrypted for it opens. The old one signs until it
 * is removed, so that nothing stops while the identity provider learns the new one.
 */
export async function addSamlKey(context: Context, organizationId: string): Promise<SsoConnection> {
  return changing(context, organizationId, async (em, actor, connection) => {
    if ((await em.count(SamlKey, { connectionId: connection.id })) >= samlKeysMax) {
      throw inputInvalid('there is a second key already: remove the old one first')
    }
    const key = await makeKey(context, em, connection)
    recordSso(context, em, actor, connection, 'sso.key-added', fingerprintOf(key))
  })
}

/** Ends a rotation, or takes it back: what is left signs, and nothing that is encrypted for the other opens. */
export async function removeSamlKey(
  context: Context,
  organizationId: string,
  id: string,
): Promise<SsoConnection> {
  return changing(context, organizationId, async (em, actor, connection) => {
    const connectionId = connection.id
    const key = isUuid(id) ? await em.findOne(SamlKey, { id, connectionId }) : null
    if (!key) throw new SluiceError('SLUICE_SSO_NOT_FOUND')
    if ((await em.count(SamlKey, { connectionId })) === 1) {
      throw inputInvalid('it is the only key: make a new one first')
    }
    em.remove(key)
    recordSso(context, em, actor, connection, 'sso.key-removed', fingerprintOf(key))
  })
}

/** Seals anew what an older sealing key has sealed. Answers how many it could not open. */
export async function resealSamlKeys(em: EntityManager, sealer: Sealer): Promise<number> {
  const old = await em.find(SamlKey, { sealingKeyId: { $ne: sealer.currentKeyId } })
  let failed = 0
  for (const key of old) {
    try {
      const { sealed, sealingKeyId } = sealer.seal(openKey(key, sealer), ownerOf(key))
      await em.nativeUpdate(SamlKey, { id: key.id }, { sealedPrivateKey: sealed, sealingKeyId })
    } catch {
      // Its key was taken from the configuration too early. Given back, the next start finds the row again.
      failed += 1
    }
  }
  return failed
}

async function changing(
  context: Context,
  organizationId: string,
  change: (em: EntityManager, actor: SsoActor, connection: SsoConnection) => Promise<void>,
): Promise<SsoConnection> {
  assertMay(context.principal, organizationId, 'sso.manage')
  return changeSso(context, organizationId, async (em, actor) => {
    const wanted = { organizationId, kind: 'SAML' as const }
    const connection = await em.findOne(SsoConnection, wanted, { refresh: true })
    if (!connection) throw new SluiceError('SLUICE_SSO_NOT_FOUND')
    await change(em, actor, connection)
    await em.flush()
    return connection
  })
}

async function makeKey(
  { sealer, consoleOrigin, now }: Context,
  em: EntityManager,
  { id: connectionId }: SsoConnection,
): Promise<SamlKey> {
  const id = crypto.randomUUID()
  const made = await newCertifiedKey(`Sluice ${new URL(consoleOrigin).host}`, certificateDays)
  const { sealed, sealingKeyId } = sealer.seal(made.privateKey, ownerOf({ id, connectionId }))
  const key = em.create(SamlKey, {
    id,
    connectionId,
    sealedPrivateKey: sealed,
    sealingKeyId,
    certificate: made.certificate,
    createdAt: now(),
  })
  em.persist(key)
  await em.flush()
  return key
}

function openKey(key: SamlKey, sealer: Sealer): string {
  const { sealedPrivateKey: sealed, sealingKeyId } = key
  return sealer.open({ sealed, sealingKeyId }, ownerOf(key))
}

/** Whom a sealed private key belongs to: moved to another connection it does not open. */
function ownerOf({ id, connectionId }: Pick<SamlKey, 'id' | 'connectionId'>): string {
  return `saml-key:${connectionId}:${id}`
}

/** SHA-256 of its certificate, in hexadecimal with colons. */
export function fingerprintOf({ certificate }: SamlKey): string {
  return new X509Certificate(certificate).fingerprint256
}
