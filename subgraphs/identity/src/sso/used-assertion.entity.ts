import { defineEntity, p } from '@mikro-orm/core'

const UsedAssertionSchema = defineEntity({
  name: 'UsedAssertion',
  properties: {
    /** SHA-256 of the connection's id and the assertion's, which may be of any length. */
    hash: p.string().length(64).primary(),
    expiresAt: p.datetime(3).index(),
  },
})

/** A SAML assertion that was taken once, kept for as long as it would be good. */
export class UsedAssertion extends UsedAssertionSchema.class {}
UsedAssertionSchema.setClass(UsedAssertion)
