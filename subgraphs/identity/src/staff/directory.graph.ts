import { connectionType } from '@sluice/kit/graph'

import type { AuditEntry } from '../audit/audit-entry.entity.ts'
import { builder, pageArgs } from '../builder.ts'
import type { Organization } from '../organization/organization.entity.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import { deviceOf } from '../sign-in/device.ts'
import type { SignIn } from '../sign-in/sign-in.entity.ts'
import type { User } from '../user/user.entity.ts'
import {
  countMembers,
  findAnyOrganization,
  findAnyUser,
  findAnyUserOrNull,
  findHistoryOf,
  findImpersonationsOf,
  findLastUse,
  findPlaces,
  findSignInsOf,
  findWaysIn,
  organizationPage,
  userPage,
  type Place,
  type WaysIn,
} from './directory.ts'
import type { Impersonation } from './impersonation.entity.ts'

const SuspensionType = builder.objectRef<{ at: Date; reason: string }>('Suspension').implement({
  description: 'Staff has switched something off.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'Since when.' }),
    reason: t.exposeString('reason', { description: 'Why, as the customer reads it.' }),
  }),
})

interface Suspendable {
  suspendedAt?: Date | null | undefined
  suspensionReason?: string | null | undefined
}

function suspensionOf({ suspendedAt, suspensionReason }: Suspendable) {
  return suspendedAt ? { at: suspendedAt, reason: suspensionReason ?? '' } : null
}

export const StaffUserType = builder.objectRef<User>('StaffUser')
export const StaffOrganizationType = builder.objectRef<Organization>('StaffOrganization')

const StaffPlaceType = builder.objectRef<Place>('StaffPlace').implement({
  description: 'A user in an organization, as staff sees it.',
  fields: (t) => ({
    user: t.expose('user', { type: StaffUserType, description: 'The member.' }),
    organization: t.expose('organization', {
      type: StaffOrganizationType,
      description: 'Where they are a member.',
    }),
    role: t.exposeString('role', { description: 'The role that they have there.' }),
  }),
})

const LastUseType = builder.objectRef<{ at: Date; ip: string }>('StaffLastUse').implement({
  description: 'When somebody was here last.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'To within a quarter of an hour.' }),
    ip: t.exposeString('ip', { description: 'The address it came from.' }),
  }),
})

const StaffSignInType = builder.objectRef<SignIn>('StaffSignIn').implement({
  description: 'A sign-in of somebody, as staff sees it.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the sign-in.' }),
    device: t.string({
      description: 'What the browser says it is.',
      resolve: ({ userAgent }) => deviceOf(userAgent),
    }),
    ip: t.exposeString('lastIp', { description: 'The address it was last used from.' }),
    place: t.string({
      nullable: true,
      description: 'Roughly where that address is; null when it is not known.',
      resolve: ({ lastIp }, _args, { placeNameOf }) => placeNameOf(lastIp),
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it was started.' }),
    lastUsedAt: t.expose('refreshedAt', {
      type: 'DateTime',
      description: 'When it was last used, to within a quarter of an hour.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was ended; null while it goes on, or ran out.',
    }),
  }),
})

const StaffActType = builder.objectRef<AuditEntry>('StaffAct').implement({
  description: 'Something that was done to somebody, as the audit has it.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the entry.' }),
    action: t.exposeString('action', { description: 'What was done.' }),
    actorName: t.exposeString('actorName', { description: 'Who did it.' }),
    details: t.exposeString('details', { nullable: true, description: 'More, in words.' }),
    ip: t.exposeString('ip', { nullable: true, description: 'The address it came from.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
  }),
})

const PastImpersonationType = builder.objectRef<Impersonation>('PastImpersonation').implement({
  description: 'When staff acted in the place of somebody.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the impersonation.' }),
    staff: t.field({
      type: StaffUserType,
      nullable: true,
      description: 'Who did; null when their account is gone.',
      resolve: ({ staffId }, _args, context) => findAnyUserOrNull(context, staffId),
    }),
    reason: t.exposeString('reason', { description: 'Why, as the customer reads it.' }),
    ticket: t.exposeString('ticket', { nullable: true, description: 'Where it was asked for.' }),
    mayChange: t.exposeBoolean('mayChange', { description: 'Whether anything could be changed.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
    endedAt: t.field({
      type: 'DateTime',
      description: 'When it ended or ends.',
      resolve: ({ endedAt, expiresAt }) => endedAt ?? expiresAt,
    }),
  }),
})

const WaysInType = builder.objectRef<WaysIn>('StaffWaysIn').implement({
  description: 'How somebody can sign in.',
  fields: (t) => ({
    password: t.exposeBoolean('password', { description: 'Whether they have a password.' }),
    passkeys: t.exposeInt('passkeys', { description: 'How many passkeys.' }),
    accounts: t.stringList({
      description: 'Providers of accounts elsewhere that sign them in.',
      resolve: ({ accounts }) => [...accounts],
    }),
    secondFactor: t.exposeBoolean('secondFactor', {
      description: 'Whether a second factor is on.',
    }),
  }),
})

StaffUserType.implement({
  description: 'A person with an account, as staff sees it.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the user.' }),
    email: t.exposeString('email', { description: 'The address they sign in with.' }),
    emailVerifiedAt: t.expose('emailVerifiedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When they confirmed it.',
    }),
    name: t.exposeString('name', { description: 'What they are called.' }),
    isAdmin: t.exposeBoolean('isAdmin', { description: 'Whether they are staff.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When they signed up.' }),
    suspension: t.field({
      type: SuspensionType,
      nullable: true,
      description: 'Why they are kept out; null while they are not.',
      resolve: (user) => suspensionOf(user),
    }),
    waysIn: t.field({
      type: WaysInType,
      description: 'How they can sign in.',
      resolve: (user, _args, context) => findWaysIn(context, user),
    }),
    signIns: t.field({
      type: [StaffSignInType],
      description: 'Their 20 newest sign-ins, also those that have ended.',
      resolve: ({ id }, _args, context) => findSignInsOf(context, id),
    }),
    impersonations: t.field({
      type: [PastImpersonationType],
      description: 'When staff acted in their place, the 50 newest.',
      resolve: ({ id }, _args, context) => findImpersonationsOf(context, id),
    }),
    history: t.field({
      type: [StaffActType],
      description: 'What was done to them, the 50 newest entries of the audit.',
      resolve: ({ id }, _args, context) => findHistoryOf(context, id),
    }),
    lastUse: t.field({
      type: LastUseType,
      nullable: true,
      description: 'When they were here last; null if never.',
      resolve: ({ id }, _args, context) => findLastUse(context, id),
    }),
    places: t.field({
      type: [StaffPlaceType],
      description: 'The first 100 organizations they are in.',
      resolve: ({ id: userId }, _args, context) => findPlaces(context, { userId }),
    }),
  }),
})

StaffOrganizationType.implement({
  description: 'An organization, as staff sees it.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the organization.' }),
    name: t.exposeString('name', { description: 'What it is called.' }),
    slug: t.exposeString('slug', { description: 'Its name in addresses.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    suspension: t.field({
      type: SuspensionType,
      nullable: true,
      description: 'Why it is closed; null while it is not.',
      resolve: (organization) => suspensionOf(organization),
    }),
    memberCount: t.int({
      description: 'How many are in it.',
      resolve: ({ id }, _args, context) => countMembers(context, id),
    }),
    places: t.field({
      type: [StaffPlaceType],
      description: 'The first 100 members.',
      resolve: ({ id: organizationId }, _args, context) => findPlaces(context, { organizationId }),
    }),
    organization: t.field({
      type: OrganizationType,
      nullable: true,
      description: 'The same for the other parts, of which each shows what staff may see.',
      resolve: (organization) => organization,
    }),
  }),
})

builder.objectField(OrganizationType, 'suspension', (t) =>
  t.field({
    type: SuspensionType,
    nullable: true,
    description: 'Why staff has closed it; null while it is open.',
    resolve: (organization) => suspensionOf(organization),
  }),
)

const StaffUserConnection = connectionType(builder, 'StaffUser', StaffUserType)
const StaffOrganizationConnection = connectionType(
  builder,
  'StaffOrganization',
  StaffOrganizationType,
)

const searchArg = 'Part of the name or address, or the id.'

builder.queryFields((t) => ({
  staffUsers: t.field({
    type: StaffUserConnection,
    description: 'All users, newest first. For staff.',
    args: {
      first: t.arg.int(pageArgs.first),
      after: t.arg.string(pageArgs.after),
      search: t.arg.string({ description: searchArg }),
    },
    resolve: (_root, args, context) => userPage(context, args),
  }),
  staffUser: t.field({
    type: StaffUserType,
    description: 'Any user. For staff.',
    args: { id: t.arg.id({ required: true, description: 'The id of the user.' }) },
    resolve: (_root, { id }, context) => findAnyUser(context, id),
  }),
  staffOrganizations: t.field({
    type: StaffOrganizationConnection,
    description: 'All organizations, newest first. For staff.',
    args: {
      first: t.arg.int(pageArgs.first),
      after: t.arg.string(pageArgs.after),
      search: t.arg.string({ description: searchArg }),
    },
    resolve: (_root, args, context) => organizationPage(context, args),
  }),
  staffOrganization: t.field({
    type: StaffOrganizationType,
    description: 'Any organization. For staff.',
    args: { id: t.arg.id({ required: true, description: 'The id of the organization.' }) },
    resolve: (_root, { id }, context) => findAnyOrganization(context, id),
  }),
}))
