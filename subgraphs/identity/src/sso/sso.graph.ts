import { may } from '@sluice/kit/principal'

import { builder } from '../builder.ts'
import type { Organization } from '../organization/organization.entity.ts'
import { OrganizationType, RoleEnum } from '../organization/organization.graph.ts'
import { roleGivenBy } from '../role/role-given-by.ts'
import { CustomRoleType } from '../role/role.graph.ts'
import { isSsoSignIn } from '../sign-in/own-sign-in.ts'
import { ViewerType } from '../user/user.graph.ts'
import {
  configureOidc,
  configureSaml,
  createConnection,
  findConnection,
  removeConnection,
  setEnforcement,
} from './connection.ts'
import { configureRoles, findMappings } from './role-rules.ts'
import { signOutOfSso } from './sign-out-of-sso.ts'
import type {
  SsoConnection,
  SsoEnforcement,
  SsoKind,
  SsoRoleMapping,
} from './sso-connection.entity.ts'
import {
  findClosedOrganizations,
  findOffer,
  startJoining,
  startTest,
  type SsoOffer,
} from './start-sso.ts'

const SsoKindEnum = builder.enumType('SsoKind', {
  description: 'Protocols of single sign-on.',
  values: {
    OIDC: { description: 'OpenID Connect.' },
    SAML: { description: 'SAML 2.0.' },
  } satisfies Record<SsoKind, object>,
})

const SsoEnforcementEnum = builder.enumType('SsoEnforcement', {
  description: 'Who enters by single sign-on.',
  values: {
    OFF: { description: 'Nobody.' },
    OPTIONAL: { description: 'Whoever likes; other sign-ins are good as well.' },
    REQUIRED: {
      description: 'Everybody; only owners with a second factor come in with their own account.',
    },
  } satisfies Record<SsoEnforcement, object>,
})

const SsoRoleMappingType = builder.objectRef<SsoRoleMapping>('SsoRoleMapping').implement({
  description: 'Whoever has the value has the role.',
  fields: (t) => ({
    value: t.exposeString('value', { description: 'A value of the attribute.' }),
    role: t.expose('role', { type: RoleEnum, description: 'The role.' }),
    customRole: t.field({
      type: CustomRoleType,
      nullable: true,
      description: 'Decides instead of `role`.',
      resolve: ({ customRoleId }, _args, { customRoles }) =>
        customRoleId ? customRoles.load(customRoleId) : null,
    }),
  }),
})

export const SsoConnectionType = builder.objectRef<SsoConnection>('SsoConnection').implement({
  description: 'The single sign-on of an organization.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the connection.' }),
    kind: t.expose('kind', { type: SsoKindEnum, description: 'The protocol.' }),
    enforcement: t.expose('enforcement', {
      type: SsoEnforcementEnum,
      description: 'Who enters by it.',
    }),
    issuer: t.exposeString('issuer', {
      nullable: true,
      description: 'OIDC issuer or SAML entity id; null until the provider is named.',
    }),
    clientId: t.exposeString('clientId', {
      nullable: true,
      description: 'What we are called at the OpenID provider.',
    }),
    metadataUrl: t.exposeString('metadataUrl', {
      nullable: true,
      description:
        'Where the SAML metadata is read again every day; null when it was given as text.',
    }),
    signInUrl: t.string({
      nullable: true,
      description: 'Where SAML sends people to sign in.',
      resolve: ({ saml }) => saml?.signInUrl ?? null,
    }),
    redirectUri: t.string({
      description: 'For OpenID Connect: the address that the provider sends people back to.',
      resolve: ({ id }, _args, { sso }) => sso.redirectUri(id),
    }),
    acsUrl: t.string({
      description: 'For SAML: the assertion consumer service.',
      resolve: ({ id }, _args, { sso }) => sso.samlAddresses(id).acsUrl,
    }),
    entityId: t.string({
      description: 'For SAML: our entity id, which is where our metadata is.',
      resolve: ({ id }, _args, { sso }) => sso.samlAddresses(id).entityId,
    }),
    admitsNewMembers: t.exposeBoolean('admitsNewMembers', {
      description: 'Whether people who are no members yet become such by signing in.',
    }),
    defaultRole: t.expose('defaultRole', {
      type: RoleEnum,
      description: 'The role of those whom no rule fits.',
    }),
    defaultCustomRole: t.field({
      type: CustomRoleType,
      nullable: true,
      description: 'Decides instead of `defaultRole`.',
      resolve: ({ defaultCustomRoleId }, _args, { customRoles }) =>
        defaultCustomRoleId ? customRoles.load(defaultCustomRoleId) : null,
    }),
    roleAttribute: t.exposeString('roleAttribute', {
      nullable: true,
      description: 'The claim or attribute that decides the role; null: nothing does.',
    }),
    roleMappings: t.field({
      type: [SsoRoleMappingType],
      description: 'The first that fits decides.',
      resolve: ({ id }, _args, { em }) => findMappings(em, id),
    }),
    testedAt: t.expose('testedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a test of the present settings passed.',
    }),
  }),
})

const SsoOfferType = builder.objectRef<SsoOffer>('SsoOffer').implement({
  description: 'A way in through an identity provider.',
  fields: (t) => ({
    organizationName: t.exposeString('organizationName', { description: 'Whose it is.' }),
    startPath: t.exposeString('startPath', {
      description: 'The path of this server to send the browser to.',
    }),
  }),
})

const ClosedOrganizationType = builder.objectRef<Organization>('ClosedOrganization').implement({
  description:
    'One of your organizations, closed to this sign-in until it passes its single sign-on.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the organization.' }),
    name: t.exposeString('name', { description: 'What it is called.' }),
    slug: t.exposeString('slug', { description: 'Its name in addresses.' }),
  }),
})

builder.objectField(OrganizationType, 'sso', (t) =>
  t.field({
    type: SsoConnectionType,
    nullable: true,
    description:
      'Its single sign-on, for those who may set it up; null for others and while there is none.',
    resolve: ({ id }, _args, context) =>
      may(context.principal, id, 'sso.manage') ? findConnection(context, id) : null,
  }),
)

builder.objectFields(ViewerType, (t) => ({
  isSsoSignIn: t.boolean({
    description:
      'Whether this sign-in came from the single sign-on of an organization, and is for it alone.',
    resolve: (_viewer, _args, context) => isSsoSignIn(context),
  }),
  closedOrganizations: t.field({
    type: [ClosedOrganizationType],
    description: 'Your organizations that ask for their single sign-on first.',
    resolve: (_viewer, _args, context) => findClosedOrganizations(context),
  }),
}))

builder.queryField('ssoOffer', (t) =>
  t.field({
    type: SsoOfferType,
    nullable: true,
    description:
      'Whether an address, by its domain, or an organization signs in by single sign-on. Says nothing about accounts.',
    args: {
      email: t.arg.string({ description: 'An address.' }),
      organization: t.arg.string({ description: 'The slug of an organization.' }),
      returnTo: t.arg.string({ description: 'A path of the console to come back to.' }),
    },
    resolve: (_root, args, context) => findOffer(context, args),
  }),
)

const ConfigureOidcInput = builder.inputType('ConfigureOidcInput', {
  description: 'An OpenID provider, and what we are called there.',
  fields: (t) => ({
    organizationId: t.id({ required: true, description: 'The organization.' }),
    issuer: t.string({ required: true, description: 'Its issuer, to the letter.' }),
    clientId: t.string({ required: true, description: 'The id of the client.' }),
    clientSecret: t.string({ description: 'Its secret. Left out: the present one stays.' }),
  }),
})

const ConfigureSamlInput = builder.inputType('ConfigureSamlInput', {
  description: 'A SAML identity provider.',
  fields: (t) => ({
    organizationId: t.id({ required: true, description: 'The organization.' }),
    metadataUrl: t.string({ description: 'Where its metadata is.' }),
    metadata: t.string({ description: 'Or the metadata itself.' }),
    signsRequests: t.boolean({
      description:
        'Sign requests though the metadata does not ask for it. Left out: it stays as it is.',
    }),
  }),
})

const SsoRoleMappingInput = builder.inputType('SsoRoleMappingInput', {
  description: 'Whoever has the value has the role.',
  fields: (t) => ({
    value: t.string({ required: true, description: 'A value of the attribute.' }),
    role: t.field({ type: RoleEnum, description: 'A built-in role.' }),
    customRoleId: t.id({ description: 'Or a custom one.' }),
  }),
})

const ConfigureSsoRolesInput = builder.inputType('ConfigureSsoRolesInput', {
  description: 'Which role people get.',
  fields: (t) => ({
    organizationId: t.id({ required: true, description: 'The organization.' }),
    admitsNewMembers: t.boolean({
      required: true,
      description: 'Whether people become members by signing in.',
    }),
    defaultRole: t.field({ type: RoleEnum, description: 'The role of those whom no rule fits.' }),
    defaultCustomRoleId: t.id({ description: 'Or a custom one.' }),
    roleAttribute: t.string({ description: 'The claim or attribute that the rules look at.' }),
    mappings: t.field({
      type: [SsoRoleMappingInput],
      required: true,
      description: 'The rules; the first that fits decides.',
    }),
  }),
})

const organizationArg = { required: true, description: 'The organization.' } as const
const returnToArg = {
  required: true,
  description: 'A path of the console to come back to.',
} as const

builder.mutationFields((t) => ({
  createSsoConnection: t.field({
    type: SsoConnectionType,
    description: 'Begins with single sign-on, so that the provider can be told our addresses.',
    args: {
      organizationId: t.arg.id(organizationArg),
      kind: t.arg({ type: SsoKindEnum, required: true, description: 'The protocol.' }),
    },
    resolve: (_root, { organizationId, kind }, context) =>
      createConnection(context, organizationId, kind),
  }),
  configureOidc: t.field({
    type: SsoConnectionType,
    description: 'Names the OpenID provider, which is asked at once. A test is due afterwards.',
    args: {
      input: t.arg({ type: ConfigureOidcInput, required: true, description: 'The provider.' }),
    },
    resolve: (_root, { input }, context) => configureOidc(context, input),
  }),
  configureSaml: t.field({
    type: SsoConnectionType,
    description: 'Names the SAML identity provider. A test is due afterwards.',
    args: {
      input: t.arg({ type: ConfigureSamlInput, required: true, description: 'The provider.' }),
    },
    resolve: (_root, { input }, context) => configureSaml(context, input),
  }),
  configureSsoRoles: t.field({
    type: SsoConnectionType,
    description: 'Says which role people get. Nobody gives more than they hold.',
    args: {
      input: t.arg({ type: ConfigureSsoRolesInput, required: true, description: 'The roles.' }),
    },
    resolve: (_root, { input }, context) =>
      configureRoles(context, {
        organizationId: input.organizationId,
        admitsNewMembers: input.admitsNewMembers,
        roleAttribute: input.roleAttribute,
        defaultRole: roleGivenBy({
          role: input.defaultRole,
          customRoleId: input.defaultCustomRoleId,
        }),
        mappings: input.mappings.map((one) => ({ value: one.value, given: roleGivenBy(one) })),
      }),
  }),
  startSsoTest: t.string({
    description: 'Where the browser goes to try the connection out. Nobody is signed in by it.',
    args: { organizationId: t.arg.id(organizationArg), returnTo: t.arg.string(returnToArg) },
    resolve: (_root, { organizationId, returnTo }, context) =>
      startTest(context, organizationId, returnTo),
  }),
  setSsoEnforcement: t.field({
    type: SsoConnectionType,
    description: 'Switches single sign-on off, on, or on instead of other sign-ins.',
    args: {
      organizationId: t.arg.id(organizationArg),
      enforcement: t.arg({
        type: SsoEnforcementEnum,
        required: true,
        description: 'Who enters by it.',
      }),
    },
    resolve: (_root, { organizationId, enforcement }, context) =>
      setEnforcement(context, organizationId, enforcement),
  }),
  removeSsoConnection: t.id({
    description: 'Takes single sign-on away. Answers the id that it had.',
    args: { organizationId: t.arg.id(organizationArg) },
    resolve: (_root, { organizationId }, context) => removeConnection(context, organizationId),
  }),
  startSso: t.string({
    description:
      'Where the browser goes so that this sign-in gains an organization that asks for single sign-on.',
    args: { organizationId: t.arg.id(organizationArg), returnTo: t.arg.string(returnToArg) },
    resolve: (_root, { organizationId, returnTo }, context) =>
      startJoining(context, organizationId, returnTo),
  }),
  signOutOfSso: t.string({
    nullable: true,
    description:
      'Ends your sign-in, and answers where to sign out at the identity provider as well; null when there is no such place.',
    resolve: (_root, _args, context) => signOutOfSso(context),
  }),
}))
