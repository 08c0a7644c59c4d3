import { randomBytes } from 'node:crypto'

import { LockMode } from '@mikro-orm/core'
import { parseGuardedUrl } from '@sluice/kit/guarded-fetch'
import { assertMay, assertSignedIn } from '@sluice/kit/principal'
import type { Sealer } from '@sluice/kit/sealer'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { Organization } from '../organization/organization.entity.ts'
import { inputInvalid, nameOf } from '../text.ts'
import { User } from '../user/user.entity.ts'
import { AuditStream, type AuditStreamKind } from './audit-stream.entity.ts'
import { recordAct, type AuditAction } from './audit.ts'

const streamsPerOrganizationMax = 5
const webhookSecretBytes = 32
const bucketPath = /^\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[A-Za-z0-9._-]{1,100}){0,4}\/?$/
const regionForm = /^[a-z0-9-]{1,64}$/

export interface AuditStreamInput {
  readonly organizationId: string
  readonly name: string
  readonly kind: AuditStreamKind
  readonly url: string
  readonly region?: string | null | undefined
  readonly accessKeyId?: string | null | undefined
  readonly secretAccessKey?: string | null | undefined
  /** Everything there is, too; else only what comes from now on. */
  readonly fromBeginning?: boolean | null | undefined
}

export type StreamState = 'OFF' | 'FAILING' | 'DELIVERING'

export function stateOf({ isOn, failures }: AuditStream): StreamState {
  if (!isOn) return 'OFF'
  return failures > 0 ? 'FAILING' : 'DELIVERING'
}

/** The streams of an organization, by name. */
export async function auditStreams(
  { em, principal }: Context,
  organizationId: string,
): Promise<AuditStream[]> {
  assertMay(principal, organizationId, 'audit.manage')
  return em.find(AuditStream, { organizationId }, { orderBy: { name: 'asc' } })
}

/** How many sealed entries have not arrived. */
export async function lagOf({ em }: Context, stream: AuditStream): Promise<number> {
  return Math.max(0, (await lastSequence(em, stream.organizationId)) - Number(stream.delivered))
}

/** Makes a stream. The secret of a webhook is shown once; a bucket has brought its own. */
export async function createAuditStream(
  context: Context,
  input: AuditStreamInput,
): Promise<{ stream: AuditStream; secret: string | null }> {
  const { em, principal, guard, sealer, now } = context
  const { organizationId, kind } = input
  assertMay(principal, organizationId, 'audit.manage')
  const name = nameOf(input.name, 'the name')
  const url = kind === 'bucket' ? bucketUrl(input.url, guard) : parseGuardedUrl(input.url, guard)
  const secret = kind === 'webhook' ? newWebhookSecret() : null
  const { region, accessKeyId, key } = kind === 'bucket' ? bucketKeys(input) : noKeys
  const stream = await em.transactional(async (inside) => {
    // Counting and adding belong together: two at once would both find room for one.
    const lock = { lockMode: LockMode.PESSIMISTIC_WRITE }
    await inside.findOneOrFail(Organization, { id: organizationId }, lock)
    const others = await inside.find(AuditStream, { organizationId })
    if (others.length >= streamsPerOrganizationMax) {
      throw new SluiceError('SLUICE_AUDIT_STREAMS_MAX', { max: streamsPerOrganizationMax })
    }
    if (others.some((other) => other.name === name)) throw inputInvalid('the name is taken')
    const id = crypto.randomUUID()
    const { sealed, sealingKeyId } = sealer.seal(secret ?? key, ownerOf(organizationId, id))
    const from = input.fromBeginning ? 0 : await lastSequence(inside, organizationId)
    const created = inside.create(AuditStream, {
      id,
      organizationId,
      name,
      kind,
      url: url.href,
      region,
      accessKeyId,
      sealedSecret: sealed,
      sealingKeyId,
      isOn: true,
      delivered: BigInt(from),
      failures: 0,
      lastError: null,
      nextAt: now(),
      deliveredAt: null,
      createdAt: now(),
      createdBy: principal.userId,
    })
    await recordStreamAct(context, inside, 'audit-stream.created', created)
    return created
  })
  return { stream, secret }
}

/** Switches a stream on, which tries at once, or off. What comes meanwhile is sent when it is on again. */
export async function switchAuditStream(
  context: Context,
  id: string,
  isOn: boolean,
): Promise<AuditStream> {
  return changeStream(context, id, async (stream, em) => {
    stream.nextAt = context.now()
    if (stream.isOn === isOn) return
    Object.assign(stream, { isOn, failures: 0, lastError: null })
    const action = isOn ? 'audit-stream.switched-on' : 'audit-stream.switched-off'
    await recordStreamAct(context, em, action, stream)
  })
}

export async function deleteAuditStream(context: Context, id: string): Promise<string> {
  await changeStream(context, id, async (stream, em) => {
    await recordStreamAct(context, em, 'audit-stream.deleted', stream)
    em.remove(stream)
  })
  return id
}

/** Whose a sealed secret is: it opens for no other organization and no other stream. */
export function ownerOf(organizationId: string, id: string): string {
  return `audit-stream|${organizationId}|${id}`
}

export function secretOf(sealer: Sealer, stream: AuditStream): string {
  const { sealedSecret: sealed, sealingKeyId, organizationId, id } = stream
  return sealer.open({ sealed, sealingKeyId }, ownerOf(organizationId, id))
}

async function changeStream(
  { em, principal }: Context,
  id: string,
  change: (stream: AuditStream, em: Context['em']) => Promise<void>,
): Promise<AuditStream> {
  assertSignedIn(principal)
  return em.transactional(async (inside) => {
    const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true } as const
    const stream = isUuid(id) ? await inside.findOne(AuditStream, { id }, lock) : null
    if (!stream) throw new SluiceError('SLUICE_AUDIT_STREAM_NOT_FOUND')
    assertMay(principal, stream.organizationId, 'audit.manage')
    await change(stream, inside)
    return stream
  })
}

async function recordStreamAct(
  { principal, visitorIp, now }: Context,
  em: Context['em'],
  action: AuditAction & `audit-stream.${string}`,
  { id, organizationId, name, url }: AuditStream,
): Promise<void> {
  const user = principal.userId ? await em.findOne(User, { id: principal.userId }) : null
  const { host } = new URL(url)
  recordAct(em, {
    action,
    actor: user && { id: user.id, name: user.name },
    organizationId,
    target: { type: 'audit-stream', id },
    details: `${name}: ${host}`,
    ip: visitorIp,
    at: now(),
  })
}

async function lastSequence(em: Context['em'], organizationId: string): Promise<number> {
  const [row] = await em.execute<{ sequence: string }[]>(
    'select sequence from identity.audit_link where organization_id = ? order by sequence desc limit 1',
    [organizationId],
  )
  return Number(row?.sequence ?? 0)
}

const noKeys = { region: null, accessKeyId: null, key: '' }

function bucketKeys({ region, accessKeyId, secretAccessKey }: AuditStreamInput) {
  const place = region || 'us-east-1'
  if (!regionForm.test(place)) throw inputInvalid('the region has letters, digits and - only')
  if (!accessKeyId || !/^[\w/+=.-]{1,128}$/.test(accessKeyId)) {
    throw inputInvalid('a bucket needs an access key id')
  }
  if (!secretAccessKey || secretAccessKey.length > 200) {
    throw inputInvalid('a bucket needs a secret access key of at most 200 characters')
  }
  return { region: place, accessKeyId, key: secretAccessKey }
}

function bucketUrl(text: string, guard: Context['guard']): URL {
  const url = parseGuardedUrl(text, guard)
  if (!bucketPath.test(url.pathname) || url.search !== '' || url.hash !== '') {
    throw inputInvalid('a bucket is named as https://endpoint/bucket, or with a prefix behind it')
  }
  return url
}

/** As Standard Webhooks has it: the prefix, and the key in base64. */
function newWebhookSecret(): string {
  return `whsec_${randomBytes(webhookSecretBytes).toString('base64')}`
}
