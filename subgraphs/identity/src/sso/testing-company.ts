import { forkSystem } from '@sluice/kit/database'
import { openDnsServer } from '@sluice/kit/testing-dns-server'

import type { Context } from '../context.ts'
import { SecondFactor } from '../second-factor/second-factor.entity.ts'
import { openWorld, type Person, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { configureOidc, setEnforcement } from './connection.ts'
import { addEmailDomain, verifyEmailDomain } from './email-domain.ts'
import { finishOidc } from './finish-sso.ts'
import { findOffer, leave, startTest } from './start-sso.ts'
import { oidcClient, type Colleague, type TestOidcProvider } from './testing-oidc.ts'

/** A world whose DNS a test sets. */
export async function openSsoWorld() {
  await using opened = new AsyncDisposableStack()
  const dns = await openDnsServer()
  opened.defer(() => dns.close())
  const world = opened.use(await openWorld({ dnsServers: [dns.address] }))
  const closing = opened.move()
  return { world, dns, [Symbol.asyncDispose]: () => closing.disposeAsync() }
}
export type SsoWorld = Awaited<ReturnType<typeof openSsoWorld>>

/** Adds a domain and proves it. */
export async function ownDomain({ dns }: SsoWorld, owner: Person, domain: string): Promise<string> {
  const added = await addEmailDomain(await owner.context(), owner.organizationId, domain)
  dns.txt(`_sluice-challenge.${domain}`, `sluice-verify=${added.token}`)
  const { status, lastError } = await verifyEmailDomain(await owner.context(), added.id)
  if (status !== 'VERIFIED') throw new Error(lastError ?? 'not verified')
  return added.id
}

/** An organization with a proven domain whose people sign in at a provider, beside other ways. */
export async function openCompany(
  sso: SsoWorld,
  provider: TestOidcProvider,
  domain = `${crypto.randomUUID()}.example.com`,
) {
  const { world } = sso
  const owner = await world.person('Olga')
  const { organizationId } = owner
  await ownDomain(sso, owner, domain)
  const { id: connectionId } = await configureOidc(await owner.context(), {
    organizationId,
    issuer: provider.issuer,
    ...oidcClient,
  })
  const colleague = (changed: Partial<Colleague> = {}): Colleague => {
    const sub = crypto.randomUUID()
    return { sub, email: `${sub}@${domain}`, name: 'Grace', email_verified: true, ...changed }
  }
  const company = { owner, organizationId, connectionId, domain, colleague, provider }
  const start = await startTest(await owner.context(), organizationId, `/o/acme/sso`)
  await finish(world, await go(world, provider, start, colleague(), owner))
  await setEnforcement(await owner.context(), organizationId, 'OPTIONAL')
  return company
}
export type Company = Awaited<ReturnType<typeof openCompany>>

/** A browser that has left for the provider and come back with its answer. */
export interface Returned {
  readonly connectionId: string
  readonly query: URLSearchParams
  readonly browserSecret: string | null
}

/** Opens a start path as a browser does, and comes back from the provider. */
export async function go(
  world: World,
  provider: TestOidcProvider,
  startPath: string,
  who: Colleague,
  /** Whose browser it is; nobody’s who is signed in if left out. */
  browserOf?: Person,
): Promise<Returned> {
  const query = new URL(startPath, 'http://console.invalid').searchParams
  const { location, cookie } = await leave(
    world.request().context,
    query,
    browserOf?.refreshToken ?? null,
  )
  const back = await provider.visit(location, who)
  const [, browserSecret = null] = /^[^=]+=([^;]*)/.exec(cookie) ?? []
  return {
    connectionId: back.pathname.split('/').at(-1) ?? '',
    query: back.searchParams,
    browserSecret,
  }
}

/** The request that a provider's answer comes with, and what it leads to. */
export async function finish(world: World, returned: Returned) {
  const { context, cookie } = world.request()
  const path = await finishOidc(context, returned)
  return { path, context, cookie: cookie() }
}

/** Signs in as people do: by the address they type. */
export async function enterAs(
  world: World,
  { provider, colleague }: Company,
  who: Colleague = colleague(),
): Promise<{ path: string; context: Context; cookie: string | null }> {
  const offer = await findOffer(world.request().context, { email: who.email, returnTo: '/o/acme' })
  if (!offer) throw new Error('no single sign-on is offered')
  return finish(world, await go(world, provider, offer.startPath, who))
}

/** As when somebody has set up an authenticator app. */
export async function giveSecondFactor({ db, deps }: World, userId: string): Promise<void> {
  await forkSystem(db.orm).insert(SecondFactor, {
    userId,
    sealedSecret: 'none',
    sealingKeyId: 'test',
    createdAt: deps.now(),
    confirmedAt: deps.now(),
    lastStep: null,
  })
}

/** As when somebody has opened the link in a mail. */
export async function confirmAddress({ db, deps }: World, userId: string, email: string) {
  await forkSystem(db.orm).nativeUpdate(
    User,
    { id: userId },
    { email, emailVerifiedAt: deps.now() },
  )
}
