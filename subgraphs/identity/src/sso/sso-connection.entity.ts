import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'
import { roles } from '@sluice/schema/permissions'

import { Organization } from '../organization/organization.entity.ts'
import { CustomRole } from '../role/custom-role.entity.ts'

const ssoKinds = ['OIDC', 'SAML'] as const
export type SsoKind = (typeof ssoKinds)[number]

/** `OFF`: nobody enters by it. `OPTIONAL`: beside other sign-ins. `REQUIRED`: instead of them, owners with a second factor excepted. */
export const ssoEnforcements = ['OFF', 'OPTIONAL', 'REQUIRED'] as const
export type SsoEnforcement = (typeof ssoEnforcements)[number]

/** What a SAML identity provider says of itself in its metadata. */
export interface SamlProvider {
  /** Its entity id: the issuer of its assertions. */
  readonly issuer: string
  /** Where browsers are sent to sign in (HTTP-Redirect binding). */
  readonly signInUrl: string
  readonly signOutUrl: string | null
  /** PEM; an assertion is good if one of them has signed it. */
  readonly certificates: readonly string[]
  /** It takes signed requests only. */
  readonly wantsSignedRequests?: true
}

/** Who came back from a connection test. */
export interface SsoTest {
  readonly at: string
  /** Why it failed, for people; null when it did not. */
  readonly problem: string | null
  readonly subject: string | null
  readonly email: string | null
  readonly name: string | null
  /** Values of the attribute that decided the role then; one inside another is not among the attributes. */
  readonly roleValues?: readonly string[]
  /** What the identity provider told beyond that: names with their values, to choose from for roles. */
  readonly attributes: readonly { readonly name: string; readonly values: readonly string[] }[]
}

const SsoConnectionSchema = defineEntity({
  name: 'SsoConnection',
  filters: tenantFilter,
  uniques: [{ name: 'sso_connection_once', properties: ['organizationId'] }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    kind: p.enum(ssoKinds),
    enforcement: p.enum(ssoEnforcements),
    /** OIDC issuer or SAML entity id; null until the identity provider is named. */
    issuer: p.string().length(2048).nullable(),

    clientId: p.string().length(500).nullable(),
    sealedClientSecret: p.text().nullable().hidden(),
    sealingKeyId: p.string().length(64).nullable().index(),

    saml: p.json<SamlProvider>().nullable(),
    /** Sign-in requests are signed, whether the identity provider wants it or not. */
    signsRequests: p.boolean().default(false),
    metadataUrl: p.string().length(2048).nullable(),
    metadataReadAt: p.datetime(3).nullable(),

    /** Whether people who are no members yet become such by signing in. */
    admitsNewMembers: p.boolean(),
    defaultRole: p.enum(roles),
    defaultCustomRoleId: () =>
      p
        .manyToOne(CustomRole)
        .mapToPk()
        .joinColumn('default_custom_role_id')
        .deleteRule('no action')
        .nullable()
        .index(),
    /** The claim or attribute whose values decide the role; null: nothing does. */
    roleAttribute: p.string().length(200).nullable(),

    /** When a test of the present settings passed; null since they were changed. */
    testedAt: p.datetime(3).nullable(),
    lastTest: p.json<SsoTest>().nullable(),
    createdAt: p.datetime(3),
    updatedAt: p.datetime(3),
  },
})

/** How the people of an organization sign in at its own identity provider. */
export class SsoConnection extends SsoConnectionSchema.class {}
SsoConnectionSchema.setClass(SsoConnection)

const SsoRoleMappingSchema = defineEntity({
  name: 'SsoRoleMapping',
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    connectionId: () =>
      p
        .manyToOne(SsoConnection)
        .mapToPk()
        .joinColumn('connection_id')
        .deleteRule('cascade')
        .index(),
    /** The first that somebody has decides. */
    position: p.integer(),
    value: p.string().length(500),
    role: p.enum(roles),
    /** Decides instead of `role`. While a mapping names it, it cannot be deleted. */
    customRoleId: () =>
      p
        .manyToOne(CustomRole)
        .mapToPk()
        .joinColumn('custom_role_id')
        .deleteRule('no action')
        .nullable()
        .index(),
  },
})

/** Whoever has this value of the role attribute has this role. */
export class SsoRoleMapping extends SsoRoleMappingSchema.class {}
SsoRoleMappingSchema.setClass(SsoRoleMapping)
