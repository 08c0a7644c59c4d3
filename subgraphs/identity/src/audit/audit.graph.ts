import { connectionType } from '@sluice/kit/graph'
import { actActions } from '@sluice/schema/events'

import { builder, pageArgs } from '../builder.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import { staffOf } from '../staff/staff.ts'
import { UserType } from '../user/user.graph.ts'
import type { AuditOwner } from './audit-reader.ts'
import { auditActions } from './audit.ts'
import { auditIntegrity, faults, type BadRow, type Integrity } from './integrity.ts'
import { searchAudit, type AuditRecord } from './search-audit.ts'
import { signedHeadsOf, type SignedHead } from './signed-heads.ts'

const actions = [...auditActions, ...actActions].toSorted().join(', ')

const AuditEntryType = builder.objectRef<AuditRecord>('AuditEntry').implement({
  description: 'One thing that somebody did. Entries are only ever added.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the entry.' }),
    action: t.exposeString('action', { description: `One of: ${actions}.` }),
    actorKind: t.exposeString('actorKind', {
      description:
        '`user`, `authtoken`, `api-key`, `service-account`, `relay`, or `system` for the platform itself.',
    }),
    actor: t.field({
      type: UserType,
      nullable: true,
      description: 'Who did it; null when they have left, or for what is no person.',
      resolve: ({ actorId, actorKind }, _args, { users }) =>
        actorId && actorKind === 'user' ? users.load(actorId) : null,
    }),
    actorId: t.exposeID('actorId', {
      nullable: true,
      description: 'The id of who did it: a user’s or a credential’s.',
    }),
    actorName: t.exposeString('actorName', {
      nullable: true,
      description: 'What they were called then.',
    }),
    targetType: t.exposeString('targetType', { description: 'The kind of thing it was done to.' }),
    targetId: t.exposeString('targetId', { nullable: true, description: 'The id of that thing.' }),
    details: t.exposeString('details', {
      nullable: true,
      description: 'What changed, in words.',
    }),
    ip: t.exposeString('ip', { nullable: true, description: 'The address it came from.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
    sequence: t.exposeInt('sequence', {
      nullable: true,
      description:
        'Its place in the chain of the organization; null for the seconds until it has one.',
    }),
    hash: t.exposeString('hash', {
      nullable: true,
      description: 'SHA-256 over the entry and the hash before it, in hexadecimal.',
    }),
  }),
})

const AuditEntryConnection = connectionType(builder, 'AuditEntry', AuditEntryType)

const AuditFaultType = builder.enumType('AuditFault', {
  description: 'What is wrong with an entry of the audit, as far as it shows.',
  values: Object.fromEntries(
    Object.entries(faults).map(([name, description]) => [name, { value: name, description }]),
  ) as Record<keyof typeof faults, { value: string; description: string }>,
})

const AuditBadRowType = builder.objectRef<BadRow>('AuditBadRow').implement({
  description: 'The first row of the audit that is not as it was written.',
  fields: (t) => ({
    fault: t.field({
      type: AuditFaultType,
      description: 'What is wrong with it.',
      resolve: ({ fault }) => fault,
    }),
    sequence: t.exposeInt('sequence', {
      nullable: true,
      description: 'Its place in the chain; null for an entry that is in none.',
    }),
    entryId: t.exposeID('entryId', {
      nullable: true,
      description: 'The id of the entry; null when nothing is left of it.',
    }),
  }),
})

const AuditSignedHeadType = builder.objectRef<SignedHead>('AuditSignedHead').implement({
  description: 'The end of the chain as it was on a day, signed.',
  fields: (t) => ({
    sequence: t.exposeInt('sequence', { description: 'The place of the last entry.' }),
    hash: t.exposeString('hash', { description: 'The hash of the last entry.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was signed.' }),
    jws: t.exposeString('jws', {
      nullable: true,
      description:
        'The signature with all of it (JWS, EdDSA, `audit-head+jwt`). Keep it elsewhere.',
    }),
    objectKey: t.exposeString('objectKey', {
      nullable: true,
      description: 'Where it was exported to in the object store; null when there is none.',
    }),
  }),
})

const AuditIntegrityType = builder.objectRef<Integrity>('AuditIntegrity').implement({
  description: 'What came of verifying the chain of an organization.',
  fields: (t) => ({
    ok: t.exposeBoolean('ok', {
      description: 'Whether nothing wrong was found in what was looked at.',
    }),
    count: t.exposeInt('count', { description: 'How many entries were looked at.' }),
    headSequence: t.int({
      nullable: true,
      description: 'The place of the last good entry.',
      resolve: ({ head }) => head?.sequence ?? null,
    }),
    headHash: t.string({
      nullable: true,
      description: 'The hash of the last good entry.',
      resolve: ({ head }) => head?.hash ?? null,
    }),
    signedHead: t.field({
      type: AuditSignedHeadType,
      nullable: true,
      description: 'The newest signed head that the chain agrees with.',
      resolve: ({ signedHead }) =>
        signedHead && { ...signedHead, at: new Date(signedHead.at), jws: null, objectKey: null },
    }),
    unsealed: t.exposeInt('unsealed', {
      description: 'Entries that are written and get their place within seconds.',
    }),
    firstBad: t.field({
      type: AuditBadRowType,
      nullable: true,
      description: 'The first bad row.',
      resolve: ({ firstBad }) => firstBad,
    }),
    next: t.exposeInt('next', {
      nullable: true,
      description: 'Pass it as `from` to go on; null when the chain was looked at to its end.',
    }),
  }),
})

const PlatformAuditType = builder.objectRef<object>('PlatformAudit').implement({
  description:
    'What was done outside all organizations: by staff, by relays, by people who are in none.',
})

type TypeRef<Shape> = ReturnType<ReturnType<typeof builder.objectRef<Shape>>['implement']>

/** An audit on the type that has one; null is the platform's. */
function exposeAudit<Shape>(type: TypeRef<Shape>, ownerOf: (parent: Shape) => AuditOwner): void {
  builder.objectFields(type, (t) => ({
    auditEntries: t.field({
      type: AuditEntryConnection,
      description: 'Who did what, newest first. For owners and admins.',
      args: {
        first: t.arg.int(pageArgs.first),
        after: t.arg.string(pageArgs.after),
        action: t.arg.string({ description: 'Only this action.' }),
        actor: t.arg.string({
          description: 'Only of whoever has this id, or a name that begins so.',
        }),
        target: t.arg.string({
          description: 'Only what was done to this id, or to this kind of thing.',
        }),
        from: t.arg({ type: 'DateTime', description: 'Not before.' }),
        to: t.arg({ type: 'DateTime', description: 'Before.' }),
        text: t.arg.string({ description: 'Only entries with words that begin so.' }),
      },
      resolve: (parent, args, context) => searchAudit(context, ownerOf(parent), args),
    }),
    auditIntegrity: t.field({
      type: AuditIntegrityType,
      description:
        'Verifies the chain of the audit, at most 10,000 entries at a time, also against the signed heads.',
      args: { from: t.arg.int({ description: 'The place to begin at.', defaultValue: 1 }) },
      resolve: (parent, { from }, context) => auditIntegrity(context, ownerOf(parent), from ?? 1),
    }),
    auditSignedHeads: t.field({
      type: [AuditSignedHeadType],
      description: 'The newest signed heads, at most 100, the newest first.',
      resolve: (parent, _args, context) => signedHeadsOf(context, ownerOf(parent)),
    }),
    auditHeadKeys: t.string({
      description: 'The public keys that signed heads are verified with, as a JWKS (RFC 7517).',
      resolve: (_parent, _args, { headKeys }) => JSON.stringify(headKeys.publicJwks),
    }),
  }))
}

exposeAudit(OrganizationType, ({ id }) => id)
exposeAudit(PlatformAuditType, () => null)

builder.queryField('platformAudit', (t) =>
  t.field({
    type: PlatformAuditType,
    description: 'The audit of the platform itself. For staff.',
    resolve: (_root, _args, context) => {
      staffOf(context)
      return {}
    },
  }),
)
