import { defineEntity, p } from '@mikro-orm/core'

const UserSchema = defineEntity({
  name: 'User',
  tableName: 'user',
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    /** As `emailOf` makes it, so that one address is one account. */
    email: p.string().length(254).unique(),
    /** When they showed that they read the mail of the address; null until then. */
    emailVerifiedAt: p.datetime(3).nullable(),
    name: p.string().length(100),
    /** argon2id in PHC form, with its parameters and salt; null for who signs in by other ways only. */
    passwordHash: p.string().length(200).nullable().hidden(),
    /** Staff of the platform; no role in any organization follows from it. */
    isAdmin: p.boolean(),
    createdAt: p.datetime(3),
    /** Staff has switched it off; null while it goes on. */
    suspendedAt: p.datetime(3).nullable(),
    /** Why, as the customer reads it. */
    suspensionReason: p.string().length(500).nullable(),
  },
})

/** A person with an account. A user belongs to no organization: memberships say where they work. */
export class User extends UserSchema.class {}
UserSchema.setClass(User)
