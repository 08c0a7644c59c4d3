import type { EntityManager } from '@sluice/kit/database'

import { builder } from '../builder.ts'
import { RoleEnum } from '../organization/organization.graph.ts'
import { CustomRoleType } from '../role/role.graph.ts'
import { organizationOfEmail } from './email-domain.ts'
import { roleOf, testedValues } from './role-rules.ts'
import type { SsoConnection, SsoTest } from './sso-connection.entity.ts'
import type { Attribute } from './sso-person.ts'
import { SsoConnectionType } from './sso.graph.ts'

/** A test, and what it was a test of. */
type Tested = SsoTest & { readonly connection: SsoConnection }

const outcome = (em: EntityManager, tested: Tested) =>
  roleOf(em, tested.connection, testedValues(tested.connection, tested))

const SsoAttributeType = builder.objectRef<Attribute>('SsoAttribute').implement({
  description: 'Something that an identity provider tells of a person.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The claim or attribute.' }),
    values: t.stringList({ description: 'What it says.', resolve: ({ values }) => [...values] }),
  }),
})

const SsoTestType = builder.objectRef<Tested>('SsoTest').implement({
  description: 'What came of a connection test.',
  fields: (t) => ({
    at: t.field({
      type: 'DateTime',
      description: 'When it ended.',
      resolve: ({ at }) => new Date(at),
    }),
    problem: t.exposeString('problem', {
      nullable: true,
      description: 'Why it failed; null when it passed.',
    }),
    subject: t.exposeString('subject', {
      nullable: true,
      description: 'Who came, as named there.',
    }),
    email: t.exposeString('email', { nullable: true, description: 'Their address.' }),
    name: t.exposeString('name', { nullable: true, description: 'What they are called.' }),
    role: t.field({
      type: RoleEnum,
      description: 'The role they would have by the rules of now.',
      resolve: async (tested, _args, { em }) => (await outcome(em, tested)).given.role,
    }),
    customRole: t.field({
      type: CustomRoleType,
      nullable: true,
      description: 'Decides instead of `role`.',
      async resolve(tested, _args, { em, customRoles }) {
        const { customRoleId } = (await outcome(em, tested)).given
        return customRoleId ? customRoles.load(customRoleId) : null
      },
    }),
    decidedBy: t.string({
      nullable: true,
      description:
        'The value whose rule decides; null when none fits, and the default role counts.',
      resolve: async (tested, _args, { em }) => (await outcome(em, tested)).decidedBy,
    }),
    isDomainVerified: t.boolean({
      description:
        'Whether the domain of their address is verified: nobody new comes in with another.',
      resolve: async ({ email, connection }, _args, { em }) =>
        email !== null && (await organizationOfEmail(em, email)) === connection.organizationId,
    }),
    attributes: t.field({
      type: [SsoAttributeType],
      description: 'All that was told; roles can be decided by it.',
      resolve: ({ attributes }) => [...attributes],
    }),
  }),
})

builder.objectField(SsoConnectionType, 'lastTest', (t) =>
  t.field({
    type: SsoTestType,
    nullable: true,
    description: 'The last test of the present settings.',
    resolve: (connection) => connection.lastTest && { ...connection.lastTest, connection },
  }),
)
