import type { AttemptLimit } from '@sluice/kit/attempts'
import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { afterKeyset } from '@sluice/kit/keyset'
import {
  exportRowsPerPage,
  personExportPath,
  personExportText,
  rowsByPage,
} from '@sluice/kit/person-export'
import type { RestRoute } from '@sluice/kit/rest'
import { namesOf } from '@sluice/schema/permissions'

import { ApiKey } from '../api-key/api-key.entity.ts'
import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { recordUserAct } from '../audit/user-act.ts'
import { Authtoken } from '../authtoken/authtoken.entity.ts'
import { createContext, type Context, type Deps } from '../context.ts'
import { Mail } from '../mail/mail.entity.ts'
import { Member } from '../organization/member.entity.ts'
import { Organization } from '../organization/organization.entity.ts'
import { personOf } from '../organization/organization.ts'
import { Passkey } from '../passkey/passkey.entity.ts'
import { RecoveryCode } from '../second-factor/recovery-code.entity.ts'
import { SecondFactor } from '../second-factor/second-factor.entity.ts'
import { deviceOf } from '../sign-in/device.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'
import { SocialLink } from '../social/social-link.entity.ts'
import { SsoLink } from '../sso/sso-link.entity.ts'
import { Impersonation } from '../staff/impersonation.entity.ts'
import { User } from '../user/user.entity.ts'
import { assertProved } from './assert-proved.ts'

const format = 'sluice-account-2'
const exportsPerHour: AttemptLimit = {
  name: 'account-export',
  attemptsMax: 20,
  windowMs: 60 * 60_000,
}

/**
 * What identity keeps of whoever asks as a person, as JSON. What opens something is not in it: secrets, digests, keys.
 * The audit hears of it when the first byte is asked for.
 */
export async function exportAccount(context: Context): Promise<AsyncIterable<string>> {
  await assertProved(context)
  const userId = personOf(context)
  await context.attempts.count(exportsPerHour, userId)
  return textOf(context, userId)
}

/** `GET /v1/account/export`, of which the gateway makes one document with the parts of the other subgraphs. */
export function exportAccountRoute(deps: Deps): RestRoute {
  return {
    method: 'GET',
    path: personExportPath,
    async handle({ caller }) {
      const context = createContext(deps, caller)
      const day = context.now().toISOString().slice(0, 10)
      return {
        status: 200,
        headers: {
          'content-type': 'application/json',
          'content-disposition': `attachment; filename="sluice-account-${day}.json"`,
        },
        body: await exportAccount(context),
      }
    },
  }
}

async function* textOf({ orm, visitorIp: ip, now }: Context, userId: string) {
  const at = now()
  const em = () => forkSystem(orm)
  const user = await em().transactional(async (own) => {
    const found = await own.findOneOrFail(User, { id: userId })
    await recordUserAct(own, { action: 'user.exported', user: found, ip, at })
    await own.flush()
    return found
  })
  const { id, email, emailVerifiedAt, name, isAdmin, createdAt, passwordHash } = user
  const hasPassword = Boolean(passwordHash)
  yield* personExportText({
    format,
    exportedAt: at,
    account: { id, email, emailVerifiedAt, name, isAdmin, createdAt, hasPassword },
    memberships: await membershipsOf(em(), userId),
    ...(await waysInOf(em(), userId)),
    ...(await credentialsOf(em(), userId)),
    impersonations: await impersonationsOf(em(), userId),
    mails: mailsOf(em, userId),
    audit: actsOf(em, userId),
  })
}

async function membershipsOf(em: EntityManager, userId: string) {
  const members = await em.find(Member, { userId }, { orderBy: { joinedAt: 'asc' } })
  const ids = members.map(({ organizationId }) => organizationId)
  const organizations = await em.find(Organization, { id: { $in: ids } })
  const byId = new Map(organizations.map((one) => [one.id, one]))
  return members.map(({ organizationId, role, joinedAt }) => {
    const { name, slug } = byId.get(organizationId) ?? {}
    return { organizationId, name, slug, role, joinedAt }
  })
}

async function waysInOf(em: EntityManager, userId: string) {
  const factor = await em.findOne(SecondFactor, { userId })
  const passkeys = await em.find(Passkey, { userId })
  const links = await em.find(SocialLink, { userId })
  const ssoLinks = await em.find(SsoLink, { userId })
  const signIns = await em.find(SignIn, { userId }, { orderBy: { startedAt: 'desc' } })
  return {
    secondFactor: factor && {
      createdAt: factor.createdAt,
      confirmedAt: factor.confirmedAt,
      recoveryCodesLeft: await em.count(RecoveryCode, { userId, usedAt: null }),
    },
    passkeys: passkeys.map(({ name, isBackedUp, transports, createdAt, lastUsedAt }) => {
      return { name, isBackedUp, transports, createdAt, lastUsedAt }
    }),
    linkedAccounts: links.map(({ provider, issuer, subject, email, linkedAt, lastUsedAt }) => {
      return { provider, issuer, subject, email, linkedAt, lastUsedAt }
    }),
    singleSignOn: ssoLinks.map(({ issuer, subject, createdAt, lastUsedAt }) => {
      return { issuer, subject, createdAt, lastUsedAt }
    }),
    signIns: signIns.map(({ id, userAgent, ...signIn }) => ({
      id,
      device: deviceOf(userAgent),
      userAgent,
      startedAt: signIn.startedAt,
      startedFrom: signIn.ip,
      lastUsedAt: signIn.refreshedAt,
      lastUsedFrom: signIn.lastIp,
      endedAt: signIn.endedAt,
      endReason: signIn.endReason,
    })),
  }
}

/** Credentials that they made, also those that are void. */
async function credentialsOf(em: EntityManager, userId: string) {
  const authtokens = await em.find(Authtoken, { createdBy: userId })
  const apiKeys = await em.find(ApiKey, { createdBy: userId })
  const shown = ({ id, organizationId, name, prefix, ...times }: Authtoken | ApiKey) => {
    const { createdAt, lastUsedAt, lastUsedIp, revokedAt } = times
    return { id, organizationId, name, prefix, createdAt, lastUsedAt, lastUsedIp, revokedAt }
  }
  return {
    authtokens: authtokens.map((one) => ({ ...shown(one), scopes: one.scopes })),
    apiKeys: apiKeys.map((one) => ({ ...shown(one), permissions: namesOf(one.permissions) })),
  }
}

/** When staff acted in their place, and why. */
async function impersonationsOf(em: EntityManager, userId: string) {
  const found = await em.find(Impersonation, { userId }, { orderBy: { startedAt: 'asc' } })
  return found.map(({ reason, mayChange, startedAt, expiresAt, endedAt }) => {
    return { reason, mayChange, startedAt, endedAt: endedAt ?? expiresAt }
  })
}

/** The newest first: what is cut is old. */
async function* mailsOf(em: () => EntityManager, userId: string) {
  const mails = rowsByPage<Mail>((after) =>
    em().find(
      Mail,
      { userId, ...afterKeyset('createdAt', after && { at: after.createdAt, id: after.id }) },
      { orderBy: { createdAt: 'desc', id: 'desc' }, limit: exportRowsPerPage },
    ),
  )
  for await (const { kind, address, ip, createdAt, outcome } of mails) {
    yield { kind, address, ip, createdAt, outcome }
  }
}

/** What they did themselves or by an authtoken of theirs, the newest first. */
async function* actsOf(em: () => EntityManager, userId: string) {
  const authtokens = await em().find(Authtoken, { createdBy: userId }, { fields: ['id'] })
  const actorIds = [userId, ...authtokens.map(({ id }) => id)]
  const acts = rowsByPage<AuditEntry>((after) =>
    em().find(
      AuditEntry,
      { actorId: { $in: actorIds }, ...afterKeyset('at', after) },
      { orderBy: { at: 'desc', id: 'desc' }, limit: exportRowsPerPage },
    ),
  )
  for await (const act of acts) {
    const { id, organizationId, action, targetType, targetId, details, ip, at } = act
    yield { id, organizationId, action, targetType, targetId, details, ip, at }
  }
}
