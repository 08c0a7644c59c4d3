import { forkSystem, type EntityManager } from '@sluice/kit/database'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { recordUserAct } from '../audit/user-act.ts'
import { Authtoken } from '../authtoken/authtoken.entity.ts'
import type { Context } from '../context.ts'
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
import { User } from '../user/user.entity.ts'
import { assertProved } from './assert-proved.ts'

/** The newest of each list; `…LeftOff` in the export says how many more there are. */
const exportedMax = 5_000
const format = 'sluice-account-1'

/** What is kept of whoever asks as a person, as JSON. What opens something is not in it: secrets, digests, keys. */
export async function exportAccount(context: Context): Promise<string> {
  const { orm, visitorIp: ip, now } = context
  await assertProved(context)
  const userId = personOf(context)
  return forkSystem(orm).transactional(async (em) => {
    const at = now()
    const user = await em.findOneOrFail(User, { id: userId })
    await recordUserAct(em, { action: 'user.exported', user, ip, at })
    await em.flush()
    const { id, email, emailVerifiedAt, name, isAdmin, createdAt, passwordHash } = user
    const hasPassword = Boolean(passwordHash)
    const account = { id, email, emailVerifiedAt, name, isAdmin, createdAt, hasPassword }
    const exported = {
      format,
      exportedAt: at,
      account,
      memberships: await membershipsOf(em, userId),
      ...(await waysInOf(em, userId)),
      ...(await whatTheyDid(em, userId)),
    }
    return JSON.stringify(exported, null, 2)
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

async function whatTheyDid(em: EntityManager, userId: string) {
  const authtokens = await em.find(Authtoken, { createdBy: userId })
  const [mails, mailsAll] = await em.findAndCount(
    Mail,
    { userId },
    { orderBy: { createdAt: 'desc' }, limit: exportedMax },
  )
  const [acts, actsAll] = await em.findAndCount(
    AuditEntry,
    { actorId: userId },
    { orderBy: { at: 'desc', id: 'desc' }, limit: exportedMax },
  )
  return {
    authtokens: authtokens.map(({ id, organizationId, name, prefix, scopes, ...authtoken }) => {
      const { createdAt, lastUsedAt, lastUsedIp, revokedAt } = authtoken
      return {
        id,
        organizationId,
        name,
        prefix,
        scopes,
        createdAt,
        lastUsedAt,
        lastUsedIp,
        revokedAt,
      }
    }),
    mails: mails.map(({ kind, address, ip, createdAt, outcome }) => {
      return { kind, address, ip, createdAt, outcome }
    }),
    mailsLeftOff: mailsAll - mails.length,
    audit: acts.map(({ id, organizationId, action, targetType, targetId, details, ip, at }) => {
      return { id, organizationId, action, targetType, targetId, details, ip, at }
    }),
    auditLeftOff: actsAll - acts.length,
  }
}
