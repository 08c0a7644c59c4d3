import { forkSystem } from '@sluice/kit/database'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { Member } from '../organization/member.entity.ts'
import { removeMember } from '../organization/member.ts'
import { admitMember } from '../organization/membership.ts'
import { findScimTokens, revokeScimToken } from '../scim/scim-token.ts'
import { openProvider, patchBody, personBody, type Send } from '../scim/testing-provider.ts'
import { User } from '../user/user.entity.ts'
import {
  enterAs,
  openCompany,
  openSsoWorld,
  type Company,
  type SsoWorld,
} from './testing-company.ts'
import { openOidcProvider, type Colleague, type TestOidcProvider } from './testing-oidc.ts'

/*
 * An organization whose people come by SCIM and that also takes newcomers by single sign-on: whom SCIM has taken out must not
 * come back by signing in.
 */
const refused = '/sign-in?problem=SLUICE_SSO_DEPROVISIONED'
const entered = '/o/acme'

let sso: SsoWorld
let provider: TestOidcProvider
let company: Company
let send: Send
beforeAll(async () => {
  sso = await openSsoWorld()
  provider = await openOidcProvider()
  company = await openCompany(sso, provider)
  await sso.world.tellEntitlements(company.organizationId, { maxMembers: 100 })
  ;({ send } = await openProvider(sso.world, company.owner))
})
afterAll(async () => {
  await provider[Symbol.asyncDispose]()
  await sso[Symbol.asyncDispose]()
})

const enter = async (who: Colleague) => (await enterAs(sso.world, company, who)).path
const active = (value: boolean) => patchBody({ op: 'replace', path: 'active', value })

async function provision(who: Colleague, more: object = {}): Promise<string> {
  const { status, body } = await send('POST', '/Users', personBody(who.email, more))
  expect(status).toBe(201)
  return body.id
}

async function isMember({ email }: Colleague): Promise<boolean> {
  const em = forkSystem(sso.world.db.orm)
  const user = await em.findOne(User, { email })
  const { organizationId } = company
  return user !== null && (await em.count(Member, { organizationId, userId: user.id })) > 0
}

test('whom SCIM has suspended does not come back by signing in, until SCIM takes them in again', async () => {
  const who = company.colleague()
  const id = await provision(who)
  expect(await enter(who)).toBe(entered)

  await send('PATCH', `/Users/${id}`, active(false))
  expect(await enter(who)).toBe(refused)
  // Another subject with their address is still them.
  expect(await enter({ ...who, sub: crypto.randomUUID() })).toBe(refused)

  await send('PATCH', `/Users/${id}`, active(true))
  expect(await enter(who)).toBe(entered)
})

test('whom SCIM has deleted does not come back by signing in, until somebody takes them in', async () => {
  const who = company.colleague()
  expect((await send('DELETE', `/Users/${await provision(who)}`)).status).toBe(204)
  expect(await enter(who)).toBe(refused)

  await provision(who)
  expect(await enter(who)).toBe(entered)
})

test('whoever came by signing in and is deleted by SCIM afterwards stays out', async () => {
  const who = company.colleague()
  expect(await enter(who)).toBe(entered)

  const id = await provision(who)
  expect((await send('DELETE', `/Users/${id}`)).status).toBe(204)

  expect(await isMember(who)).toBe(false)
  expect(await enter(who)).toBe(refused)
})

test('who is sent as inactive is not in, even if they came by signing in before', async () => {
  const who = company.colleague()
  expect(await enter(who)).toBe(entered)

  const { body } = await send('POST', '/Users', personBody(who.email, { active: false }))

  expect(body.active).toBe(false)
  expect(await isMember(who)).toBe(false)
  expect(await enter(who)).toBe(refused)
  const stranger = company.colleague()
  await provision(stranger, { active: false })
  expect(await enter(stranger)).toBe(refused)
})

test('whom people have removed while SCIM has them does not come back by signing in', async () => {
  const who = company.colleague()
  await provision(who)
  const em = forkSystem(sso.world.db.orm)
  const user = await em.findOneOrFail(User, { email: who.email })
  const { organizationId, owner } = company
  const member = await em.findOneOrFail(Member, { organizationId, userId: user.id })
  await removeMember(await owner.context(), member.id)

  expect(await enter(who)).toBe(refused)
})

test('an admin can take in by hand whom SCIM has deleted, and that holds', async () => {
  const who = company.colleague()
  await send('DELETE', `/Users/${await provision(who)}`)
  const { organizationId } = company
  const em = forkSystem(sso.world.db.orm)
  const { id: userId } = await em.findOneOrFail(User, { email: who.email })
  const act = { actor: null, ip: '', at: sso.world.deps.now() }
  const given = { role: 'VIEWER', customRoleId: null } as const
  await em.transactional((inner) =>
    admitMember(inner, { organizationId, userId, ...given, ...act }),
  )
  expect(await enter(who)).toBe(entered)

  // Had they left by themselves, signing in would be enough again: SCIM has nothing to say about them.
  const left = await forkSystem(sso.world.db.orm).nativeDelete(Member, { organizationId, userId })
  expect(left).toBe(1)
  expect(await enter(who)).toBe(entered)
})

test('whom SCIM has never heard of still comes in by signing in', async () => {
  expect(await enter(company.colleague())).toBe(entered)
})

test('of a deletion and a sign-in at the same moment, the deletion wins', async () => {
  const people = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const who = company.colleague()
      return { who, id: await provision(who) }
    }),
  )

  // The browsers of the test share one provider, which signs in one person at a time: deletions overtake all along.
  const deletions = people.map(({ id }) => send('DELETE', `/Users/${id}`))
  for (const { who } of people) await enter(who)
  await Promise.all(deletions)

  for (const { who } of people) {
    expect(await isMember(who)).toBe(false)
    expect(await enter(who)).toBe(refused)
  }
})

test('when the last SCIM token is gone, signing in decides again', async () => {
  const who = company.colleague()
  await send('DELETE', `/Users/${await provision(who)}`)
  expect(await enter(who)).toBe(refused)

  const context = await company.owner.context()
  for (const { id } of await findScimTokens(context, company.organizationId)) {
    await revokeScimToken(context, id)
  }

  expect(await enter(who)).toBe(entered)
})
