import { connectionType } from '@sluice/kit/graph'

import { builder, pageArgs } from '../builder.ts'
import { OrganizationType, RoleEnum } from '../organization/organization.graph.ts'
import { roleGivenBy } from '../role/role-given-by.ts'
import { CustomRoleType } from '../role/role.graph.ts'
import { UserType } from '../user/user.graph.ts'
import { countMembers, mapScimGroup, scimGroupPage } from './map-group.ts'
import type { ScimCall } from './scim-call.entity.ts'
import { findCalls } from './scim-call.ts'
import type { ScimGroup } from './scim-group.entity.ts'
import { scimBaseUrl } from './scim-routes.ts'
import type { ScimToken } from './scim-token.entity.ts'
import {
  createScimToken,
  findScimTokens,
  revokeScimToken,
  rotateScimToken,
  type NewScimToken,
} from './scim-token.ts'
import { countPeople } from './scim-user.ts'

const ScimTokenType = builder.objectRef<ScimToken>('ScimToken').implement({
  description: 'With it an identity provider manages people and groups. Its secret is shown once.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the token.' }),
    name: t.exposeString('name', { description: 'Which provider has it.' }),
    prefix: t.exposeString('prefix', { description: 'Its first characters.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    createdBy: t.field({
      type: UserType,
      nullable: true,
      description: 'Who made it; null when they have left.',
      resolve: ({ createdBy }, _args, { users }) => (createdBy ? users.load(createdBy) : null),
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to the minute.',
    }),
    lastUsedIp: t.exposeString('lastUsedIp', {
      nullable: true,
      description: 'From which address it was last used.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when it works beside its successor; null before a rotation.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null while it was not.',
    }),
  }),
})

const NewScimTokenType = builder.objectRef<NewScimToken>('NewScimToken').implement({
  description: 'A new SCIM token with its secret.',
  fields: (t) => ({
    token: t.expose('token', { type: ScimTokenType, description: 'The token.' }),
    secret: t.exposeString('secret', {
      description: 'The token itself. Store it now: it is not shown again.',
    }),
  }),
})

const ScimGroupType = builder.objectRef<ScimGroup>('ScimGroup').implement({
  description: 'A group of the identity provider.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the group.' }),
    name: t.exposeString('displayName', { description: 'What the provider calls it.' }),
    members: t.int({
      description: 'How many people are in it.',
      resolve: ({ id }, _args, context) => countMembers(context, id),
    }),
    role: t.expose('role', {
      type: RoleEnum,
      nullable: true,
      description: 'What its people are; VIEWER where a custom role decides, null for nothing.',
    }),
    customRole: t.field({
      type: CustomRoleType,
      nullable: true,
      description: 'The custom role of its people.',
      resolve: ({ customRoleId }, _args, { customRoles }) =>
        customRoleId ? customRoles.load(customRoleId) : null,
    }),
    changedAt: t.expose('changedAt', {
      type: 'DateTime',
      description: 'When the provider last changed it.',
    }),
  }),
})

const ScimGroupConnection = connectionType(builder, 'ScimGroup', ScimGroupType)

const ScimCallType = builder.objectRef<ScimCall>('ScimCall').implement({
  description: 'A request of the identity provider.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the call.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it came.' }),
    tokenName: t.exposeString('tokenName', { description: 'The token it came with.' }),
    method: t.exposeString('method', { description: 'GET, POST, PUT, PATCH or DELETE.' }),
    path: t.exposeString('path', { description: 'What it asked for.' }),
    status: t.exposeInt('status', { description: 'The HTTP status of the answer.' }),
    detail: t.exposeString('detail', {
      nullable: true,
      description: 'Why it was refused; null for what was done.',
    }),
  }),
})

const ScimType = builder.objectRef<{ organizationId: string }>('Scim').implement({
  description: 'How an identity provider manages the people of an organization.',
  fields: (t) => ({
    baseUrl: t.string({
      description: 'The address that the provider is given.',
      resolve: (_scim, _args, context) => scimBaseUrl(context),
    }),
    people: t.int({
      description: 'How many people the provider has sent, active or not.',
      resolve: ({ organizationId }, _args, context) => countPeople(context, organizationId),
    }),
    tokens: t.field({
      type: [ScimTokenType],
      description: 'Its tokens, the newest first, void ones too.',
      resolve: ({ organizationId }, _args, context) => findScimTokens(context, organizationId),
    }),
    groups: t.field({
      type: ScimGroupConnection,
      description: 'The groups that the provider has sent, the newest first.',
      args: { first: t.arg.int(pageArgs.first), after: t.arg.string(pageArgs.after) },
      resolve: ({ organizationId }, args, context) => scimGroupPage(context, organizationId, args),
    }),
    calls: t.field({
      type: [ScimCallType],
      description: 'The last requests, the latest first.',
      args: { last: t.arg.int({ description: 'How many, at most 200.', defaultValue: 50 }) },
      resolve: ({ organizationId }, { last }, context) =>
        findCalls(context, organizationId, last ?? 50),
    }),
  }),
})

builder.objectField(OrganizationType, 'scim', (t) =>
  t.field({
    type: ScimType,
    description: 'Its identity provider. Each part is for those who may manage single sign-on.',
    resolve: ({ id }) => ({ organizationId: id }),
  }),
)

const CreateScimTokenInput = builder.inputType('CreateScimTokenInput', {
  description: 'A new SCIM token.',
  fields: (t) => ({
    organizationId: t.id({ required: true, description: 'The organization.' }),
    name: t.string({ required: true, description: 'Which provider it is for.' }),
  }),
})

const RotateScimTokenInput = builder.inputType('RotateScimTokenInput', {
  description: 'A successor for a SCIM token.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The id of the token.' }),
    overlapHours: t.int({
      required: true,
      description: 'For how long the old one still works: 0 to 168 hours.',
    }),
  }),
})

const MapScimGroupInput = builder.inputType('MapScimGroupInput', {
  description: 'What the people of a group may do. Without a role the group says nothing about it.',
  fields: (t) => ({
    groupId: t.id({ required: true, description: 'The id of the group.' }),
    role: t.field({ type: RoleEnum, description: 'A built-in role; nobody becomes an owner.' }),
    customRoleId: t.id({ description: 'Or a custom role of the organization.' }),
  }),
})

builder.mutationFields((t) => ({
  createScimToken: t.field({
    type: NewScimTokenType,
    description: 'Makes a token for an identity provider. Asks for a fresh proof of who you are.',
    args: {
      input: t.arg({ type: CreateScimTokenInput, required: true, description: 'The token.' }),
    },
    resolve: (_root, { input: { organizationId, name } }, context) =>
      createScimToken(context, organizationId, name),
  }),
  rotateScimToken: t.field({
    type: NewScimTokenType,
    description: 'Makes a successor; the old token works beside it for a while.',
    args: {
      input: t.arg({ type: RotateScimTokenInput, required: true, description: 'The token.' }),
    },
    resolve: (_root, { input: { id, overlapHours } }, context) =>
      rotateScimToken(context, id, overlapHours),
  }),
  revokeScimToken: t.field({
    type: ScimTokenType,
    description: 'Ends a token at once. People and groups stay as they are.',
    args: { id: t.arg.id({ required: true, description: 'The id of the token.' }) },
    resolve: (_root, { id }, context) => revokeScimToken(context, id),
  }),
  mapScimGroup: t.field({
    type: ScimGroupType,
    description: 'Gives a role to the people of a group, at once and from now on.',
    args: { input: t.arg({ type: MapScimGroupInput, required: true, description: 'The role.' }) },
    resolve: (_root, { input: { groupId, role, customRoleId } }, context) =>
      mapScimGroup(
        context,
        groupId,
        role || customRoleId ? roleGivenBy({ role, customRoleId }) : null,
      ),
  }),
}))
