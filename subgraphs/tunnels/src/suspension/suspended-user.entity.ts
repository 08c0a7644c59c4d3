import { defineEntity, p } from '@mikro-orm/core'

const SuspendedUserSchema = defineEntity({
  name: 'SuspendedUser',
  tableName: 'suspended_user',
  // No tenant: it holds for a person in every organization.
  properties: { userId: p.uuid().primary(), at: p.datetime(3) },
})

/** A person whom staff keeps out, told by identity: what they own is not served while nobody else serves it. */
export class SuspendedUser extends SuspendedUserSchema.class {}
SuspendedUserSchema.setClass(SuspendedUser)
