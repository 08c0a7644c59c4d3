import './user/user.graph.ts'
import './organization/organization.graph.ts'
import './organization/member.graph.ts'
import './role/role.graph.ts'
import './invitation/invitation.graph.ts'
import './second-factor/second-factor.graph.ts'
import './sign-in/sign-in.graph.ts'
import './account/account.graph.ts'
import './social/social.graph.ts'
import './passkey/passkey.graph.ts'
import './service-account/service-account.graph.ts'
import './authtoken/authtoken.graph.ts'
import './api-key/api-key.graph.ts'
import './rotation/rotation.graph.ts'
import './revocation/revocation.graph.ts'
import './mail/mail.graph.ts'
import './scim/scim.graph.ts'
import './audit/audit.graph.ts'
import './audit/audit-stream.graph.ts'
import { builder } from './builder.ts'

export const schema = builder.toSubGraphSchema({
  linkUrl: 'https://specs.apollo.dev/federation/v2.9',
})
