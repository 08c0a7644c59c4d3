import { silentLog } from '@sluice/kit/log'

import type { Person, World } from '../testing.ts'
import { answerScim } from './answer.ts'
import { createScimToken } from './scim-token.ts'

export const baseUrl = 'http://localhost:4000/scim/v2'
export const userSchemas = ['urn:ietf:params:scim:schemas:core:2.0:User']
export const groupSchemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']
export const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

interface Answer {
  status: number
  headers: Readonly<Record<string, string>>
  // oxlint-disable-next-line typescript/no-explicit-any -- A test reads it as it asked for it.
  body: any
}

export type Send = (
  method: string,
  /** Below the base, with the query; spaces and quotes may stay. */
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>

/** An identity provider that has a SCIM token of somebody's organization. */
export async function openProvider(
  world: World,
  owner: Person,
): Promise<{ send: Send; secret: string; tokenId: string }> {
  const { token, secret } = await createScimToken(
    await owner.context(),
    owner.organizationId,
    'Okta',
  )
  return { send: sender(world, secret), secret, tokenId: token.id }
}

export function sender(world: World, secret: string): Send {
  return async (method, path, body, headers = {}) => {
    const url = new URL(baseUrl + path)
    const given: Record<string, string> = { authorization: `Bearer ${secret}`, ...headers }
    const text = typeof body === 'string' ? body : JSON.stringify(body ?? null)
    const answer = await answerScim(world.deps, silentLog, baseUrl, {
      method,
      path: url.pathname.slice('/scim/v2'.length),
      query: url.searchParams,
      header: (name) => given[name] ?? null,
      body: Buffer.from(body === undefined ? '' : text),
      ip: '192.0.2.7',
    })
    // As it would arrive: what JSON leaves out is not there.
    return { ...answer, body: answer.body && JSON.parse(JSON.stringify(answer.body)) }
  }
}

/** The body with which providers make a person. */
export function personBody(email: string, more: object = {}) {
  return {
    schemas: userSchemas,
    userName: email,
    name: { givenName: 'Grace', familyName: 'Hopper' },
    emails: [{ primary: true, value: email, type: 'work' }],
    active: true,
    ...more,
  }
}

export function patchBody(...operations: object[]) {
  return { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations }
}
