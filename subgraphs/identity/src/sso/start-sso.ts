import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { addressOf } from '@sluice/kit/network'
import { assertMay, roleIn } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import { signInOf } from '../account/assert-proved.ts'
import type { Context } from '../context.ts'
import { Organization } from '../organization/organization.entity.ts'
import { personOf } from '../organization/organization.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { parseRefreshToken } from '../sign-in/refresh-token.ts'
import { returnPathOf } from '../social/return-path.ts'
import { issueTicket, takeTicket } from '../ticket/ticket.ts'
import { foldEmail } from '../user/user.ts'
import { clientOf } from './client-secret.ts'
import { findConnection, readMetadata } from './connection.ts'
import { organizationOfEmail } from './email-domain.ts'
import { oidcSignInUrl } from './oidc.ts'
import { openSamlKeys, requestKeyOf } from './saml-key.ts'
import { samlSignInUrl } from './saml.ts'
import { SsoConnection } from './sso-connection.entity.ts'
import { ssoLifeMs } from './sso.ts'
import { browserHashOf, newBrowserSecret, requestIdOf, tiesOf } from './ties.ts'

/** What a browser that leaves for an identity provider comes back to. */
interface SsoAttempt {
  readonly connectionId: string
  /** `enter`: somebody signs in. `join`: a sign-in that goes on gains the organization. `test`: nothing comes of it. */
  readonly purpose: 'enter' | 'join' | 'test'
  readonly returnTo: string
  /** The sign-in that asked, for `join` and `test`. */
  readonly signInId: string | null
}

/** The same once it has left: what its cookie must fit. */
export interface SsoState extends SsoAttempt {
  readonly browserHash: string
}

/** A way in that is open to somebody. */
export interface SsoOffer {
  readonly organizationName: string
  /** A path of this server to send the browser to. */
  readonly startPath: string
}

const metadataLifeMs = 24 * 60 * 60_000

/**
 * Whether the people of an address, or of an organization, sign in by single sign-on. It tells of domains and
 * organizations alone: whether anybody has an account is not looked up.
 */
export async function findOffer(
  context: Context,
  wanted: {
    email?: string | null | undefined
    organization?: string | null | undefined
    returnTo?: string | null | undefined
  },
): Promise<SsoOffer | null> {
  const { orm, attempts, visitorIp, consoleOrigin } = context
  await attempts.count(attemptLimits.ssoByIp, addressOf(visitorIp))
  const em = forkSystem(orm)
  const organization = await wantedOrganization(em, wanted)
  const connection =
    organization && (await em.findOne(SsoConnection, { organizationId: organization.id }))
  if (!organization || !connection || connection.enforcement === 'OFF') return null
  const path = new URLSearchParams({ organization: organization.slug })
  if (wanted.email) path.set('email', foldEmail(wanted.email))
  if (wanted.returnTo) path.set('to', returnPathOf(wanted.returnTo, consoleOrigin))
  return { organizationName: organization.name, startPath: `/auth/sso/start?${path}` }
}

/** Where the browser goes so that the sign-in which asks gains an organization whose single sign-on it passes. */
export async function startJoining(
  context: Context,
  organizationId: string,
  returnTo: string,
): Promise<string> {
  const userId = personOf(context)
  const signInId = signInOf(context)
  const em = forkSystem(context.orm)
  const connection = isUuid(organizationId)
    ? await em.findOne(SsoConnection, { organizationId, enforcement: { $ne: 'OFF' } })
    : null
  // By the table, not by the principal: a membership that needs single sign-on is not in it yet.
  const rows = await em.execute<unknown[]>(
    `select 1 from "identity"."member" where organization_id = ? and user_id = ?`,
    [connection?.organizationId ?? null, userId],
  )
  if (!connection || rows.length === 0) throw new SluiceError('SLUICE_SSO_NOT_FOUND')
  return startPath(context, connection, 'join', returnTo, signInId, userId)
}

/** Where the browser goes to try the connection out. Nobody is signed in by it. */
export async function startTest(
  context: Context,
  organizationId: string,
  returnTo: string,
): Promise<string> {
  assertMay(context.principal, organizationId, 'sso.manage')
  const userId = personOf(context)
  const connection = await findConnection(context, organizationId)
  if (!connection?.issuer) throw new SluiceError('SLUICE_SSO_INCOMPLETE')
  return startPath(context, connection, 'test', returnTo, signInOf(context), userId)
}

async function startPath(
  { orm, consoleOrigin, now }: Context,
  { id: connectionId }: SsoConnection,
  purpose: SsoAttempt['purpose'],
  returnTo: string,
  signInId: string,
  userId: string,
): Promise<string> {
  const data: SsoAttempt = {
    connectionId,
    purpose,
    returnTo: returnPathOf(returnTo, consoleOrigin),
    signInId,
  }
  const ticket = await issueTicket(forkSystem(orm), {
    purpose: 'sso-start',
    userId,
    data,
    lifeMs: ssoLifeMs,
    at: now(),
  })
  return `/auth/sso/start?ticket=${ticket}`
}

/**
 * Sends a browser to the identity provider. Answers where, and the cookie that it takes along. A sign-in
 * that is to gain the organization does so in its own browser, by its refresh cookie: else somebody could send a colleague
 * there, and gain by their passing. A test gains nothing, and may be passed by anybody who is asked to.
 */
export async function leave(
  context: Context,
  query: URLSearchParams,
  refreshCookie: string | null,
): Promise<{ location: string; cookie: string }> {
  const { orm, attempts, visitorIp, sso, now } = context
  await attempts.count(attemptLimits.ssoByIp, addressOf(visitorIp))
  const em = forkSystem(orm)
  const { attempt, userId } = await attemptOf(context, em, query)
  const { purpose, signInId } = attempt
  if (purpose === 'join' && parseRefreshToken(refreshCookie)?.signInId !== signInId) {
    throw new SluiceError('SLUICE_SSO_INTERRUPTED')
  }
  const connection = await em.findOne(SsoConnection, { id: attempt.connectionId })
  if (!connection || (connection.enforcement === 'OFF' && attempt.purpose !== 'test')) {
    throw new SluiceError('SLUICE_SSO_NOT_FOUND')
  }
  const browserSecret = newBrowserSecret()
  const data: SsoState = { ...attempt, browserHash: browserHashOf(browserSecret) }
  const state = await issueTicket(em, {
    purpose: 'sso-state',
    userId,
    data,
    lifeMs: ssoLifeMs,
    at: now(),
  })
  const location = await addressAt(context, connection, state, browserSecret, query.get('email'))
  return { location, cookie: sso.cookie(browserSecret) }
}

async function attemptOf(
  { consoleOrigin, now }: Context,
  em: EntityManager,
  query: URLSearchParams,
): Promise<{ attempt: SsoAttempt; userId: string | null }> {
  const secret = query.get('ticket')
  if (secret !== null) {
    const ticket = await takeTicket<SsoAttempt>(em, 'sso-start', secret, now())
    if (!ticket) throw new SluiceError('SLUICE_SSO_INTERRUPTED')
    return { attempt: ticket.data, userId: ticket.userId }
  }
  const organization = await wantedOrganization(em, { organization: query.get('organization') })
  const connection =
    organization && (await em.findOne(SsoConnection, { organizationId: organization.id }))
  if (!connection) throw new SluiceError('SLUICE_SSO_NOT_FOUND')
  const returnTo = returnPathOf(query.get('to') ?? '/', consoleOrigin)
  const { id: connectionId } = connection
  return { attempt: { connectionId, purpose: 'enter', returnTo, signInId: null }, userId: null }
}

async function wantedOrganization(
  em: EntityManager,
  {
    email,
    organization,
  }: { email?: string | null | undefined; organization?: string | null | undefined },
): Promise<Organization | null> {
  if (organization) return em.findOne(Organization, { slug: organization.slice(0, 60) })
  if (!email) return null
  const id = await organizationOfEmail(em, foldEmail(email.slice(0, 254)))
  return id === null ? null : em.findOne(Organization, { id })
}

async function addressAt(
  context: Context,
  connection: SsoConnection,
  state: string,
  browserSecret: string,
  email: string | null,
): Promise<string> {
  const { orm, sso, sealer } = context
  if (connection.kind === 'OIDC') {
    return oidcSignInUrl(clientOf(connection, sealer), sso.guard, {
      redirectUri: sso.redirectUri(connection.id),
      ties: tiesOf(state, browserSecret),
      loginHint: email?.includes('@') ? email.slice(0, 254) : null,
    })
  }
  const saml = await freshMetadata(context, connection)
  const requestId = requestIdOf(state)
  const keys = await openSamlKeys(orm, sealer, connection)
  const signingKey = requestKeyOf({ signsRequests: connection.signsRequests, saml }, keys)
  return samlSignInUrl(saml, sso.samlAddresses(connection.id), { requestId, state, signingKey })
}

/** Certificates change: metadata that is named by its address is read again once a day. */
async function freshMetadata(context: Context, connection: SsoConnection) {
  const { orm, sso, now } = context
  const { id, saml, metadataUrl, metadataReadAt } = connection
  if (!saml) throw new SluiceError('SLUICE_SSO_INCOMPLETE')
  const isFresh = metadataReadAt && now().getTime() - metadataReadAt.getTime() < metadataLifeMs
  if (!metadataUrl || isFresh) return saml
  const em = forkSystem(orm)
  try {
    const read = await readMetadata(context, metadataUrl)
    if (read.issuer !== saml.issuer) throw new Error('the metadata is of another identity provider')
    await em.nativeUpdate(SsoConnection, { id, metadataUrl }, { saml: read, metadataReadAt: now() })
    return read
  } catch (error) {
    // What was read last is good until somebody says otherwise; the next sign-in tries again.
    sso.log.warn({ err: error, connectionId: id }, 'SAML metadata could not be read again')
    return saml
  }
}

/** Organizations of somebody that are closed to the sign-in which asks, until it passes their single sign-on. */
export async function findClosedOrganizations(context: Context): Promise<Organization[]> {
  const { orm, principal } = context
  if (principal.kind !== 'user' || principal.impersonatedBy || principal.userId === null) return []
  const em = forkSystem(orm)
  const rows = await em.execute<{ id: string }[]>(
    `select m.organization_id as id from "identity"."member" m
     join "identity"."sso_connection" c on c.organization_id = m.organization_id and c.enforcement <> 'OFF'
     join "identity"."sign_in" s on s.id = ? and not s.sso_only
     where m.user_id = ? limit 200`,
    [principal.signInId, principal.userId],
  )
  const closed = rows.map(({ id }) => id).filter((id) => roleIn(principal, id) === null)
  return closed.length === 0
    ? []
    : em.find(Organization, { id: { $in: closed } }, { orderBy: { name: 'asc' } })
}
