import type { EntityManager } from '@sluice/kit/database'
import { guardedFetch, parseGuardedUrl } from '@sluice/kit/guarded-fetch'
import { assertMay } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { Member } from '../organization/member.entity.ts'
import { announceMembership } from '../organization/membership.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { inputInvalid, nameOf } from '../text.ts'
import { changeSso, recordSso, type SsoActor } from './change-sso.ts'
import { secretOwnerOf } from './client-secret.ts'
import { discoverOidc } from './oidc.ts'
import { ensureSamlKey } from './saml-key.ts'
import { metadataBytesMax, parseSamlMetadata } from './saml-metadata.ts'
import {
  SsoConnection,
  type SamlProvider,
  type SsoEnforcement,
  type SsoKind,
} from './sso-connection.entity.ts'
import { SsoLink } from './sso-link.entity.ts'
import { SsoProof } from './sso-proof.entity.ts'

const clientCharactersMax = 500

/** The single sign-on of an organization, or null while it has none. */
export async function findConnection(
  { em, principal }: Context,
  organizationId: string,
): Promise<SsoConnection | null> {
  assertMay(principal, organizationId, 'sso.manage')
  return em.findOne(SsoConnection, { organizationId })
}

/**
 * Begins with single sign-on: the identity provider can be told our addresses from then on. Beginning with the other
 * kind starts anew.
 */
export async function createConnection(
  context: Context,
  organizationId: string,
  kind: SsoKind,
): Promise<SsoConnection> {
  assertMay(context.principal, organizationId, 'sso.manage')
  return changeSso(context, organizationId, (em, actor) =>
    connectionOf(context, em, actor, organizationId, kind),
  )
}

/** The connection of this kind; begun anew if there is none, or one of the other kind. */
async function connectionOf(
  context: Context,
  em: EntityManager,
  actor: SsoActor,
  organizationId: string,
  kind: SsoKind,
): Promise<SsoConnection> {
  const known = await em.findOne(SsoConnection, { organizationId }, { refresh: true })
  if (known?.kind === kind) {
    // One that is from before there were keys gets one.
    if (kind === 'SAML') await ensureSamlKey(context, em, known)
    return known
  }
  if (known) {
    assertNotRequired(known)
    await forgetPeople(em, known)
    em.remove(known)
    await em.flush()
  }
  const at = context.now()
  const connection = em.create(SsoConnection, {
    id: crypto.randomUUID(),
    organizationId,
    kind,
    enforcement: 'OFF',
    issuer: null,
    clientId: null,
    sealedClientSecret: null,
    sealingKeyId: null,
    saml: null,
    signsRequests: false,
    metadataUrl: null,
    metadataReadAt: null,
    admitsNewMembers: true,
    defaultRole: 'VIEWER',
    defaultCustomRoleId: null,
    roleAttribute: null,
    testedAt: null,
    lastTest: null,
    createdAt: at,
    updatedAt: at,
  })
  em.persist(connection)
  recordSso(context, em, actor, connection, 'sso.created', kind)
  await em.flush()
  if (kind === 'SAML') await ensureSamlKey(context, em, connection)
  return connection
}

export interface OidcInput {
  organizationId: string
  issuer: string
  clientId: string
  /** Left out: the present one stays, for the same client. */
  clientSecret?: string | null | undefined
}

/** Names the OpenID provider. It is asked before anything is kept; a test is due again afterwards. */
export async function configureOidc(context: Context, input: OidcInput): Promise<SsoConnection> {
  const { sso, sealer } = context
  const { organizationId } = input
  await countChange(context, organizationId)
  const issuer = parseGuardedUrl(input.issuer.trim(), sso.guard)
  if (issuer.protocol !== 'https:' && !sso.guard.allowPrivate) {
    const reason = 'it does not begin with https://'
    throw new SluiceError('SLUICE_SSO_ISSUER_INVALID', { reason })
  }
  const clientId = nameOf(input.clientId, 'the client id', clientCharactersMax)
  const clientSecret = input.clientSecret?.trim() ?? ''
  if (clientSecret.length > clientCharactersMax) throw inputInvalid('the client secret is too long')
  // As the provider spells it: issuers are compared to the letter.
  const configuration = await discoverOidc(
    { issuer: input.issuer.trim(), clientId, clientSecret },
    sso.guard,
  )
  const settings = { issuer: configuration.serverMetadata().issuer, clientId }

  const changed = await changeSso(context, organizationId, async (em, actor) => {
    const found = await connectionOf(context, em, actor, organizationId, 'OIDC')
    const isSameClient = found.issuer === settings.issuer && found.clientId === clientId
    if (clientSecret === '' && !(isSameClient && found.sealedClientSecret)) {
      throw inputInvalid('the client secret is missing')
    }
    if (!isSameClient) assertNotRequired(found)
    if (clientSecret !== '') {
      const sealed = sealer.seal(clientSecret, secretOwnerOf(found.id))
      found.sealedClientSecret = sealed.sealed
      found.sealingKeyId = sealed.sealingKeyId
    }
    return providerChanged(context, em, actor, found, settings, isSameClient)
  })
  await announceAll(context, organizationId)
  return changed
}

export interface SamlInput {
  organizationId: string
  /** One of the two. */
  metadataUrl?: string | null | undefined
  metadata?: string | null | undefined
  /** Sign requests though the metadata does not ask for it. Left out: as it is. */
  signsRequests?: boolean | null | undefined
}

/** Names the SAML identity provider, by where its metadata is or by the metadata itself. */
export async function configureSaml(context: Context, input: SamlInput): Promise<SsoConnection> {
  const { organizationId } = input
  await countChange(context, organizationId)
  const metadataUrl = input.metadataUrl?.trim() || null
  const text = input.metadata?.trim() || null
  if ((metadataUrl === null) === (text === null)) {
    throw inputInvalid('give the address of the metadata or the metadata, not both')
  }
  const saml =
    metadataUrl === null ? parseSamlMetadata(text ?? '') : await readMetadata(context, metadataUrl)

  const changed = await changeSso(context, organizationId, async (em, actor) => {
    const found = await connectionOf(context, em, actor, organizationId, 'SAML')
    const isSame = JSON.stringify(found.saml) === JSON.stringify(saml)
    if (!isSame) assertNotRequired(found)
    const { issuer } = saml
    const signsRequests = input.signsRequests ?? found.signsRequests
    const settings = { issuer, saml, signsRequests, metadataUrl, metadataReadAt: context.now() }
    return providerChanged(context, em, actor, found, settings, isSame)
  })
  await announceAll(context, organizationId)
  return changed
}

/** Reads metadata from where an organization says it is. */
export async function readMetadata(
  { sso }: Pick<Context, 'sso'>,
  url: string,
): Promise<SamlProvider> {
  const answer = await guardedFetch(url, { bytesMax: metadataBytesMax }, sso.guard)
  if (answer.status !== 200) {
    const reason = `its address answers with status ${answer.status}`
    throw new SluiceError('SLUICE_SSO_METADATA_INVALID', { reason })
  }
  return parseSamlMetadata(await answer.text())
}

/** Switches single sign-on off, on beside other sign-ins, or on instead of them. */
export async function setEnforcement(
  context: Context,
  organizationId: string,
  enforcement: SsoEnforcement,
): Promise<SsoConnection> {
  assertMay(context.principal, organizationId, 'sso.manage')
  const { connection, isOther } = await changeSso(context, organizationId, async (em, actor) => {
    const found = await em.findOne(SsoConnection, { organizationId }, { refresh: true })
    if (!found) throw new SluiceError('SLUICE_SSO_NOT_FOUND')
    const before = found.enforcement
    if (before === enforcement) return { connection: found, isOther: false }
    if (enforcement !== 'OFF' && !found.issuer) throw new SluiceError('SLUICE_SSO_INCOMPLETE')
    if (enforcement !== 'OFF' && !found.testedAt) throw new SluiceError('SLUICE_SSO_UNTESTED')
    if (enforcement === 'REQUIRED') await assertOwnerLeft(em, organizationId)
    found.enforcement = enforcement
    found.updatedAt = context.now()
    recordSso(
      context,
      em,
      actor,
      found,
      'sso.enforcement-changed',
      `from ${before} to ${enforcement}`,
    )
    await em.flush()
    return { connection: found, isOther: true }
  })
  // Gateways ask again who may enter: within two seconds nobody is inside who may not be.
  if (isOther) await announceAll(context, organizationId)
  return connection
}

/** Takes single sign-on away, with everything it knows of people. */
export async function removeConnection(context: Context, organizationId: string): Promise<string> {
  assertMay(context.principal, organizationId, 'sso.manage')
  const id = await changeSso(context, organizationId, async (em, actor) => {
    const found = await em.findOne(SsoConnection, { organizationId }, { refresh: true })
    if (!found) throw new SluiceError('SLUICE_SSO_NOT_FOUND')
    recordSso(context, em, actor, found, 'sso.removed', found.kind)
    em.remove(found)
    return found.id
  })
  await announceAll(context, organizationId)
  return id
}

/** Limits what leads to outgoing requests. */
async function countChange(context: Context, organizationId: string): Promise<void> {
  assertMay(context.principal, organizationId, 'sso.manage')
  await context.attempts.count(attemptLimits.ssoSettingsByUser, context.principal.id)
}

/** What another provider says is another matter: who passed the former one passes this one first. */
async function providerChanged(
  context: Context,
  em: EntityManager,
  actor: SsoActor,
  connection: SsoConnection,
  settings: Partial<SsoConnection>,
  isSame: boolean,
): Promise<SsoConnection> {
  if (!isSame) {
    await em.nativeDelete(SsoProof, { connectionId: connection.id })
    if (connection.issuer !== settings.issuer) {
      await em.nativeDelete(SsoLink, { connectionId: connection.id })
    }
    Object.assign(connection, { testedAt: null, lastTest: null, enforcement: 'OFF' })
  }
  Object.assign(connection, settings, { updatedAt: context.now() })
  recordSso(context, em, actor, connection, 'sso.changed', `${connection.kind}, ${settings.issuer}`)
  await em.flush()
  return connection
}

async function forgetPeople(em: EntityManager, { id }: SsoConnection): Promise<void> {
  await em.nativeDelete(SsoProof, { connectionId: id })
  await em.nativeDelete(SsoLink, { connectionId: id })
}

function assertNotRequired({ enforcement }: SsoConnection): void {
  if (enforcement === 'REQUIRED') throw new SluiceError('SLUICE_SSO_REQUIRED')
}

/** When the identity provider fails one day, an owner with a second factor still comes in. */
async function assertOwnerLeft(em: EntityManager, organizationId: string): Promise<void> {
  const rows = await em.execute<unknown[]>(
    `select 1 from "identity"."member" m
     join "identity"."second_factor" f on f.user_id = m.user_id and f.confirmed_at is not null
     where m.organization_id = ? and m.role = 'OWNER' limit 1`,
    [organizationId],
  )
  if (rows.length === 0) throw new SluiceError('SLUICE_SSO_NO_OWNER_LEFT')
}

async function announceAll({ em, revocations }: Context, organizationId: string): Promise<void> {
  const members = await em.find(Member, { organizationId }, { disableIdentityMap: true })
  await Promise.all(members.map((member) => announceMembership(revocations, member)))
}
