import { fileURLToPath } from 'node:url'

import type { DatabaseOptions } from '@sluice/kit/database'
import { InboxEvent, InboxVersion } from '@sluice/kit/inbox'
import { SigningKey } from '@sluice/kit/key-ring'
import { OutboxEvent } from '@sluice/kit/outbox'

import { Anomaly } from './anomaly/anomaly.entity.ts'
import { ApiKey } from './api-key/api-key.entity.ts'
import { AuditLink, AuditSignedHead, AuditUnsealed } from './audit/audit-chain.entity.ts'
import { AuditEntry } from './audit/audit-entry.entity.ts'
import { AuditStream } from './audit/audit-stream.entity.ts'
import { Authtoken } from './authtoken/authtoken.entity.ts'
import { Invitation } from './invitation/invitation.entity.ts'
import { MailLink } from './mail/mail-link.entity.ts'
import { Mail } from './mail/mail.entity.ts'
import { Allowance } from './organization/allowance.entity.ts'
import { Member } from './organization/member.entity.ts'
import { Organization } from './organization/organization.entity.ts'
import { Passkey } from './passkey/passkey.entity.ts'
import { RevokedToken } from './revocation/revoked-token.entity.ts'
import { CustomRole } from './role/custom-role.entity.ts'
import { SecretRotation } from './rotation/secret-rotation.entity.ts'
import { ScimCall } from './scim/scim-call.entity.ts'
import { ScimDeparture } from './scim/scim-departure.entity.ts'
import { ScimGroup, ScimGroupMember } from './scim/scim-group.entity.ts'
import { ScimToken } from './scim/scim-token.entity.ts'
import { ScimUser } from './scim/scim-user.entity.ts'
import { RecoveryCode } from './second-factor/recovery-code.entity.ts'
import { SecondFactor } from './second-factor/second-factor.entity.ts'
import { ServiceAccount } from './service-account/service-account.entity.ts'
import { SignIn } from './sign-in/sign-in.entity.ts'
import { SocialLink } from './social/social-link.entity.ts'
import { EmailDomain } from './sso/email-domain.entity.ts'
import { SamlKey } from './sso/saml-key.entity.ts'
import { SsoConnection, SsoRoleMapping } from './sso/sso-connection.entity.ts'
import { SsoLink } from './sso/sso-link.entity.ts'
import { SsoProof } from './sso/sso-proof.entity.ts'
import { UsedAssertion } from './sso/used-assertion.entity.ts'
import { Impersonation } from './staff/impersonation.entity.ts'
import { Ticket } from './ticket/ticket.entity.ts'
import { User } from './user/user.entity.ts'

/** The tables of identity: everything `openOrm` needs but the address of the database. */
export const database = {
  schema: 'identity',
  entities: [
    User,
    Organization,
    CustomRole,
    Member,
    Invitation,
    Allowance,
    SignIn,
    Authtoken,
    ApiKey,
    ServiceAccount,
    RevokedToken,
    SecretRotation,
    SigningKey,
    AuditEntry,
    AuditLink,
    AuditUnsealed,
    AuditSignedHead,
    AuditStream,
    Mail,
    MailLink,
    SecondFactor,
    RecoveryCode,
    Ticket,
    SocialLink,
    Passkey,
    ScimToken,
    ScimUser,
    ScimDeparture,
    ScimGroup,
    ScimGroupMember,
    ScimCall,
    SsoConnection,
    SsoRoleMapping,
    SamlKey,
    SsoLink,
    SsoProof,
    UsedAssertion,
    EmailDomain,
    Anomaly,
    Impersonation,
    OutboxEvent,
    InboxEvent,
    InboxVersion,
  ],
  migrationsPath: fileURLToPath(new URL('../migrations', import.meta.url)),
} satisfies Omit<DatabaseOptions, 'databaseUrl'>
