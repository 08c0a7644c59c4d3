import type { EntityManager } from '@sluice/kit/database'
import type { Log } from '@sluice/kit/log'
import { assertMay } from '@sluice/kit/principal'

import type { Context, Deps } from '../context.ts'
import { ScimCall } from './scim-call.entity.ts'

/** What a call of an identity provider works with: the organization is that of its token, and nothing in it can say otherwise. */
export interface Call {
  /** Sees that organization only. */
  readonly em: EntityManager
  readonly organizationId: string
  readonly tokenId: string
  readonly tokenName: string
  readonly ip: string
  /** Where SCIM is served, for the addresses of resources. */
  readonly baseUrl: string
  readonly deps: Pick<Deps, 'orm' | 'revocations' | 'wakeOutbox' | 'now'>
}

/** Who did it, for the audit. */
export function actorOf({ tokenId: id, tokenName }: Call) {
  return { id, name: `SCIM: ${tokenName}`.slice(0, 100), kind: 'scim-token' } as const
}

const callsKept = 200
const pathCharactersMax = 300
const detailCharactersMax = 500

/** Notes a call, and forgets the oldest. What cannot be noted fails no call. */
export async function noteCall(
  { em, organizationId, tokenName, deps }: Call,
  answer: { method: string; path: string; status: number; detail: string | null },
  log: Log,
): Promise<void> {
  const { method, path, status, detail } = answer
  try {
    await em.execute(
      `insert into "identity"."scim_call" (id, organization_id, token_name, method, path, status, detail, at)
       values (?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        crypto.randomUUID(),
        organizationId,
        tokenName,
        method,
        storable(path, pathCharactersMax),
        status,
        detail === null ? null : storable(detail, detailCharactersMax),
        deps.now(),
      ],
    )
    await em.execute(
      `delete from "identity"."scim_call" where organization_id = ? and id in (
         select id from "identity"."scim_call" where organization_id = ?
         order by at desc, id desc offset ${callsKept})`,
      [organizationId, organizationId],
    )
  } catch (error) {
    log.warn({ err: error }, 'a SCIM call could not be noted')
  }
}

/** The last calls, the latest first. For those who look after single sign-on. */
export async function findCalls(
  { em, principal }: Context,
  organizationId: string,
  calls: number,
): Promise<ScimCall[]> {
  assertMay(principal, organizationId, 'sso.manage')
  return em.find(
    ScimCall,
    { organizationId },
    { orderBy: { at: 'desc', id: 'desc' }, limit: Math.max(1, Math.min(calls, callsKept)) },
  )
}

function storable(text: string, charactersMax: number): string {
  return text.slice(0, charactersMax).toWellFormed().replaceAll('\0', '�')
}
