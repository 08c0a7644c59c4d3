import { fileURLToPath } from 'node:url'

import type { DatabaseOptions } from '@sluice/kit/database'
import { InboxEvent, InboxVersion } from '@sluice/kit/inbox'
import { OutboxEvent } from '@sluice/kit/outbox'

import { Anomaly } from './anomaly/anomaly.entity.ts'
import { AuditEntry } from './audit/audit-entry.entity.ts'
import { Authtoken } from './authtoken/authtoken.entity.ts'
import { MailLink } from './mail/mail-link.entity.ts'
import { Mail } from './mail/mail.entity.ts'
import { Allowance } from './organization/allowance.entity.ts'
import { Member } from './organization/member.entity.ts'
import { Organization } from './organization/organization.entity.ts'
import { Passkey } from './passkey/passkey.entity.ts'
import { CustomRole } from './role/custom-role.entity.ts'
import { RecoveryCode } from './second-factor/recovery-code.entity.ts'
import { SecondFactor } from './second-factor/second-factor.entity.ts'
import { SignIn } from './sign-in/sign-in.entity.ts'
import { SocialLink } from './social/social-link.entity.ts'
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
    Allowance,
    SignIn,
    Authtoken,
    AuditEntry,
    Mail,
    MailLink,
    SecondFactor,
    RecoveryCode,
    Ticket,
    SocialLink,
    Passkey,
    Anomaly,
    Impersonation,
    OutboxEvent,
    InboxEvent,
    InboxVersion,
  ],
  migrationsPath: fileURLToPath(new URL('../migrations', import.meta.url)),
} satisfies Omit<DatabaseOptions, 'databaseUrl'>
