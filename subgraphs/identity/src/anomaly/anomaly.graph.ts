import { connectionType } from '@sluice/kit/graph'

import { builder, pageArgs } from '../builder.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import { UserType } from '../user/user.graph.ts'
import type { Anomaly, AnomalyKind, Severity } from './anomaly.entity.ts'
import { allAnomalyPage, anomalyPage } from './anomaly.ts'

const AnomalyKindEnum = builder.enumType('AnomalyKind', {
  description: 'What is looked out for.',
  values: {
    SIGN_IN_FAILURES: {
      value: 'sign-in-failures',
      description: 'Many wrong passwords or codes from one network.',
    },
    RATE_LIMITED: { value: 'rate-limited', description: 'Somebody came too often.' },
    NETWORK_BLOCKED: {
      value: 'network-blocked',
      description: 'The sign-ins of a network were refused for a while.',
    },
    NEW_NETWORK: { value: 'new-network', description: 'A sign-in from a network not seen before.' },
    IMPOSSIBLE_TRAVEL: {
      value: 'impossible-travel',
      description: 'A sign-in from farther away than anybody can travel in the time.',
    },
    TOKEN_NEW_NETWORK: {
      value: 'token-new-network',
      description: 'An authtoken or API key was used from a network not seen before.',
    },
    REFRESH_REUSED: {
      value: 'refresh-reused',
      description: 'A refresh token was used twice, as when it was copied.',
    },
    RECOVERY_CODE_USED: {
      value: 'recovery-code-used',
      description: 'A recovery code took the place of the authenticator app.',
    },
    SIGNATURE_FAILED: {
      value: 'signature-failed',
      description: 'Something that has to be signed was not, or by somebody else.',
    },
    IMPERSONATION: { value: 'impersonation', description: 'Staff acted as a user.' },
  } as const satisfies Record<string, { value: AnomalyKind; description: string }>,
})

const SeverityEnum = builder.enumType('AnomalySeverity', {
  description: 'How much it matters.',
  values: {
    LOW: { value: 'low', description: 'Good to know.' },
    MEDIUM: { value: 'medium', description: 'Worth a look.' },
    HIGH: { value: 'high', description: 'Owners are told by mail, the operator by webhook.' },
  } as const satisfies Record<string, { value: Severity; description: string }>,
})

const AnomalyType = builder.objectRef<Anomaly>('Anomaly').implement({
  description: 'Something that may be an attack: one row per kind, subject and hour.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the row.' }),
    kind: t.expose('kind', { type: AnomalyKindEnum, description: 'What was seen.' }),
    severity: t.expose('severity', { type: SeverityEnum, description: 'How much it matters.' }),
    user: t.field({
      type: UserType,
      nullable: true,
      description: 'Whom it is about; null when nobody, or who has left.',
      resolve: ({ userId }, _args, { users }) => (userId ? users.load(userId) : null),
    }),
    subject: t.exposeString('subject', {
      description: 'What it is about: a network, a credential, a limit.',
    }),
    details: t.exposeString('details', { nullable: true, description: 'More, in words.' }),
    ip: t.exposeString('ip', { nullable: true, description: 'The address of the last time.' }),
    count: t.exposeInt('count', { description: 'How often in this hour.' }),
    firstAt: t.expose('firstAt', { type: 'DateTime', description: 'The first time.' }),
    lastAt: t.expose('lastAt', { type: 'DateTime', description: 'The last time.' }),
  }),
})

const AnomalyConnection = connectionType(builder, 'Anomaly', AnomalyType)

builder.objectField(OrganizationType, 'anomalies', (t) =>
  t.field({
    type: AnomalyConnection,
    description: 'What was seen that may be an attack, the latest first. For owners and admins.',
    args: {
      first: t.arg.int(pageArgs.first),
      after: t.arg.string(pageArgs.after),
      kind: t.arg({ type: AnomalyKindEnum, description: 'Only this kind.' }),
      severity: t.arg({ type: SeverityEnum, description: 'Only this severity.' }),
    },
    resolve: ({ id }, args, context) => anomalyPage(context, id, args),
  }),
)

builder.queryField('anomalies', (t) =>
  t.field({
    type: AnomalyConnection,
    description: 'What was seen anywhere on this server, the latest first. For staff.',
    args: {
      first: t.arg.int(pageArgs.first),
      after: t.arg.string(pageArgs.after),
      kind: t.arg({ type: AnomalyKindEnum, description: 'Only this kind.' }),
      severity: t.arg({ type: SeverityEnum, description: 'Only this severity.' }),
    },
    resolve: (_root, args, context) => allAnomalyPage(context, args),
  }),
)
