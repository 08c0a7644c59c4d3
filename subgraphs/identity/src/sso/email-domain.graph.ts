import { txtNameOf, txtValueOf } from '@sluice/kit/dns-proof'

import { builder } from '../builder.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import type { EmailDomain } from './email-domain.entity.ts'
import {
  addEmailDomain,
  findEmailDomains,
  removeEmailDomain,
  verifyEmailDomain,
} from './email-domain.ts'
import { emailDomainGraceMs } from './recheck-email-domains.ts'

const EmailDomainStatusEnum = builder.enumType('EmailDomainStatus', {
  description: 'Whether a domain is proven.',
  values: {
    PENDING: { description: 'Not yet, or not any more.' },
    VERIFIED: { description: 'DNS says that it is the organization’s.' },
  } satisfies Record<EmailDomain['status'], object>,
})

const EmailDomainType = builder.objectRef<EmailDomain>('EmailDomain').implement({
  description: 'A domain whose addresses belong to the people of an organization.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the domain.' }),
    domain: t.exposeString('domain', { description: 'What stands behind the @.' }),
    status: t.expose('status', {
      type: EmailDomainStatusEnum,
      description: 'Whether it is proven.',
    }),
    txtName: t.string({
      description: 'The name of the TXT record that proves it. It has to stay.',
      resolve: ({ domain }) => txtNameOf(domain),
    }),
    txtValue: t.string({
      description: 'What the record must hold.',
      resolve: ({ token }) => txtValueOf(token),
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'Why the last check did not prove it.',
    }),
    missingSince: t.expose('missingSince', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when the record of a proven domain is missing; null while it is there.',
    }),
    provenUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the proof is lost if the record stays missing; null while it is there.',
      resolve: ({ missingSince }) =>
        missingSince ? new Date(missingSince.getTime() + emailDomainGraceMs) : null,
    }),
    verifiedAt: t.expose('verifiedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was proven.',
    }),
  }),
})

builder.objectField(OrganizationType, 'emailDomains', (t) =>
  t.field({
    type: [EmailDomainType],
    description: 'Its email domains by name, for those who may set up single sign-on.',
    resolve: ({ id }, _args, context) => findEmailDomains(context, id),
  }),
)

builder.mutationFields((t) => ({
  addEmailDomain: t.field({
    type: EmailDomainType,
    description: 'Adds a domain to be proven.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'The organization.' }),
      domain: t.arg.string({ required: true, description: 'What stands behind the @.' }),
    },
    resolve: (_root, { organizationId, domain }, context) =>
      addEmailDomain(context, organizationId, domain),
  }),
  verifyEmailDomain: t.field({
    type: EmailDomainType,
    description: 'Asks DNS now. What is missing is in `lastError`.',
    args: { id: t.arg.id({ required: true, description: 'The domain.' }) },
    resolve: (_root, { id }, context) => verifyEmailDomain(context, id),
  }),
  removeEmailDomain: t.id({
    description: 'Removes a domain: nobody new enters by it.',
    args: { id: t.arg.id({ required: true, description: 'The domain.' }) },
    resolve: (_root, { id }, context) => removeEmailDomain(context, id),
  }),
}))
