import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'
import { roles } from '@sluice/schema/permissions'

import { revocationTrigger, signInUntil } from '../revocation/revoked-token.entity.ts'
import { CustomRole } from '../role/custom-role.entity.ts'
import { User } from '../user/user.entity.ts'
import { Organization } from './organization.entity.ts'

/** The name under which PostgreSQL reports that an organization would be left without an owner. */
export const lastOwnerConstraint = 'member_last_owner'

/** Whoever holds the older list of memberships asks again. */
const membershipRevoked = {
  kind: 'membership' as const,
  id: `OLD.organization_id || ':' || OLD.user_id`,
  at: 'clock_timestamp()',
  reason: `'changed'`,
  until: signInUntil,
}

const MemberSchema = defineEntity({
  name: 'Member',
  filters: tenantFilter,
  uniques: [{ name: 'member_once', properties: ['organizationId', 'userId'] }],
  indexes: [{ name: 'member_page', properties: ['organizationId', 'joinedAt', 'id'] }],
  triggers: [
    {
      // The lock makes two removals at once wait for each other: the second counts what the first left.
      name: lastOwnerConstraint,
      timing: 'after',
      events: ['update', 'delete'],
      body:
        `if OLD.role = 'OWNER' and (TG_OP = 'DELETE' or NEW.role <> 'OWNER') then ` +
        `perform 1 from "identity"."organization" where id = OLD.organization_id for no key update; ` +
        `if found and not exists (select 1 from "identity"."member" where organization_id = OLD.organization_id and role = 'OWNER') then ` +
        `raise exception 'the last owner of an organization' using errcode = 'check_violation', constraint = '${lastOwnerConstraint}'; ` +
        `end if; end if; return null;`,
    },
    {
      name: 'member_changed',
      timing: 'after',
      events: ['update'],
      body: revocationTrigger({
        ...membershipRevoked,
        condition: 'OLD.role <> NEW.role or OLD.custom_role_id is distinct from NEW.custom_role_id',
      }),
    },
    {
      name: 'member_removed',
      timing: 'after',
      events: ['delete'],
      body: revocationTrigger(membershipRevoked),
    },
  ],
  // So nobody is an owner by a custom role, and the trigger above sees every owner.
  checks: [{ name: 'member_custom_role', expression: `custom_role_id is null or role = 'VIEWER'` }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    userId: () => p.manyToOne(User).mapToPk().joinColumn('user_id').deleteRule('cascade').index(),
    role: p.enum(roles),
    /** Decides instead of `role`, which is VIEWER then. Always one of the same organization. */
    customRoleId: () =>
      p
        .manyToOne(CustomRole)
        .mapToPk()
        .joinColumn('custom_role_id')
        .deleteRule('no action')
        .nullable()
        .index(),
    joinedAt: p.datetime(3),
  },
})

/** A person in an organization, with the role that decides what they may do there. */
export class Member extends MemberSchema.class {}
MemberSchema.setClass(Member)
