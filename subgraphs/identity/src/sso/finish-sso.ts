import { forkSystem } from '@sluice/kit/database'
import { printable } from '@sluice/kit/printable'
import { SluiceError } from '@sluice/schema/errors'
import { AuthorizationResponseError, ResponseBodyError } from 'openid-client'

import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { issueTicket, takeTicket } from '../ticket/ticket.ts'
import { clientOf } from './client-secret.ts'
import { enter, join } from './enter.ts'
import { oidcPerson } from './oidc.ts'
import { SamlRefusal } from './saml-assertion.ts'
import { openSamlKeys } from './saml-key.ts'
import { checkSamlAnswer } from './saml.ts'
import { SsoConnection, type SsoTest } from './sso-connection.entity.ts'
import type { SsoPerson } from './sso-person.ts'
import type { SsoState } from './start-sso.ts'
import { isSameBrowser, requestIdOf, tiesOf } from './ties.ts'

interface Attempt extends SsoState {
  readonly userId: string | null
}

interface Answered {
  readonly attempt: Attempt
  /** Dates come as texts out of the table. */
  readonly person: Omit<SsoPerson, 'sessionEndsAt'> & { readonly sessionEndsAt: string | null }
}

const answerLifeMs = 2 * 60_000
const reasonCharactersMax = 300

/** Ends a sign-in at an OpenID provider. Answers the path of the console to go on at; a refusal is told there. */
export async function finishOidc(
  context: Context,
  {
    connectionId,
    query,
    browserSecret,
  }: {
    connectionId: string
    query: URLSearchParams
    browserSecret: string | null
  },
): Promise<string> {
  const { sso, sealer } = context
  const state = query.get('state') ?? ''
  const attempt = await takeAttempt(context, state)
  return telling(attempt, async () => {
    // The path names the connection, so that the answer of one provider is never brought to another.
    if (
      attempt?.connectionId !== connectionId ||
      !isSameBrowser(browserSecret, attempt.browserHash)
    ) {
      throw new SluiceError('SLUICE_SSO_INTERRUPTED')
    }
    const connection = await openConnection(context, attempt)
    const callback = new URL(sso.redirectUri(connection.id))
    callback.search = query.toString()
    const person = await asked(context, connection, attempt, async () =>
      oidcPerson(clientOf(connection, sealer), sso.guard, {
        callback,
        ties: tiesOf(state, browserSecret ?? ''),
        roleAttribute: connection.roleAttribute ?? null,
      }),
    )
    return settle(context, connection, attempt, person)
  })
}

/**
 * Takes the answer of a SAML identity provider. A browser brings it without its cookies, for it comes from another site:
 * what was answered waits for the browser to come back with them.
 */
export async function takeSamlAnswer(context: Context, form: URLSearchParams): Promise<string> {
  const { orm, sso, sealer, now } = context
  const state = form.get('RelayState') ?? ''
  const attempt = await takeAttempt(context, state)
  return telling(attempt, async () => {
    if (!attempt) throw new SluiceError('SLUICE_SSO_INTERRUPTED')
    const connection = await openConnection(context, attempt)
    const { saml: provider } = connection
    if (!provider) throw new SluiceError('SLUICE_SSO_INCOMPLETE')
    const { privateKeys } = await openSamlKeys(orm, sealer, connection)
    const person = await asked(context, connection, attempt, async () => {
      const answer = await checkSamlAnswer(form.get('SAMLResponse') ?? '', {
        connectionId: connection.id,
        provider,
        addresses: sso.samlAddresses(connection.id),
        requestId: requestIdOf(state),
        roleAttribute: connection.roleAttribute ?? null,
        privateKeys,
        now: now(),
      })
      await useUp(context, answer.replayHash, answer.expiresAt)
      return answer.person
    })
    const ticket = await issueTicket(forkSystem(orm), {
      purpose: 'sso-answer',
      userId: null,
      data: { attempt, person },
      lifeMs: answerLifeMs,
      at: now(),
    })
    return `/auth/saml/finish?answer=${ticket}`
  })
}

/** Goes on with the answer that waits, in the browser that left. */
export async function finishSaml(
  context: Context,
  answer: string,
  browserSecret: string | null,
): Promise<string> {
  const { orm, now } = context
  const ticket = await takeTicket<Answered>(forkSystem(orm), 'sso-answer', answer, now())
  const attempt = ticket?.data.attempt ?? null
  return telling(attempt, async () => {
    if (!ticket || !attempt || !isSameBrowser(browserSecret, attempt.browserHash)) {
      throw new SluiceError('SLUICE_SSO_INTERRUPTED')
    }
    const { person } = ticket.data
    const sessionEndsAt = person.sessionEndsAt === null ? null : new Date(person.sessionEndsAt)
    const connection = await openConnection(context, attempt)
    return settle(context, connection, attempt, { ...person, sessionEndsAt })
  })
}

/** The state is used up first, whatever comes of it. */
async function takeAttempt({ orm, now }: Context, state: string): Promise<Attempt | null> {
  const ticket = await takeTicket<SsoState>(forkSystem(orm), 'sso-state', state, now())
  return ticket && { ...ticket.data, userId: ticket.userId }
}

async function openConnection(
  { orm }: Context,
  { connectionId, purpose }: Attempt,
): Promise<SsoConnection> {
  const connection = await forkSystem(orm).findOne(SsoConnection, { id: connectionId })
  if (!connection || (connection.enforcement === 'OFF' && purpose !== 'test')) {
    throw new SluiceError('SLUICE_SSO_NOT_FOUND')
  }
  return connection
}

async function settle(
  context: Context,
  connection: SsoConnection,
  attempt: Attempt,
  person: SsoPerson,
): Promise<string> {
  if (attempt.purpose === 'test')
    await noteTest(context, connection, attempt, testOf(context, person))
  else if (attempt.purpose === 'join') await join(context, connection, attempt, person)
  else await enter(context, connection, person)
  return attempt.returnTo
}

/** Runs what asks the provider. A refusal is for the organization to know; whoever was refused learns that they were. */
async function asked(
  context: Context,
  connection: SsoConnection,
  attempt: Attempt,
  ask: () => Promise<SsoPerson>,
): Promise<SsoPerson> {
  try {
    return await ask()
  } catch (error) {
    const problem = printable(reasonOf(error), reasonCharactersMax)
    context.sso.log.info({ err: error, connectionId: connection.id }, 'single sign-on was refused')
    if (attempt.purpose === 'test') {
      await noteTest(context, connection, attempt, { ...emptyTest(context), problem })
    } else await noteRefusal(context, connection, problem)
    if (error instanceof SluiceError) throw error
    const isDeclined =
      error instanceof AuthorizationResponseError && error.error === 'access_denied'
    const code = isDeclined ? 'SLUICE_SSO_DECLINED' : 'SLUICE_SSO_ANSWER_REFUSED'
    throw new SluiceError(code, {}, { cause: error })
  }
}

/** Of two who bring the same assertion, one is let in. */
async function useUp({ orm }: Context, hash: string, expiresAt: Date): Promise<void> {
  const rows = await forkSystem(orm).execute<unknown[]>(
    `insert into "identity"."used_assertion" (hash, expires_at) values (?, ?)
     on conflict (hash) do nothing returning hash`,
    [hash, expiresAt],
  )
  if (rows.length === 0) throw new SamlRefusal('the assertion was used before')
}

async function noteRefusal(
  { orm, visitorIp: ip, now }: Context,
  { id, organizationId }: SsoConnection,
  details: string,
): Promise<void> {
  await forkSystem(orm).transactional(async (em) => {
    const target = { type: 'sso-connection', id } as const
    const act = { action: 'sso.sign-in-refused', actor: null, organizationId, target } as const
    recordAct(em, { ...act, details, ip, at: now() })
  })
}

async function noteTest(
  { orm, visitorIp: ip, now }: Context,
  { id, organizationId, updatedAt }: SsoConnection,
  { userId }: Attempt,
  lastTest: SsoTest,
): Promise<void> {
  await forkSystem(orm).transactional(async (em) => {
    const passed = lastTest.problem === null ? { testedAt: now() } : {}
    // Settings that were changed meanwhile are not what was tested.
    const noted = await em.nativeUpdate(SsoConnection, { id, updatedAt }, { lastTest, ...passed })
    if (noted === 0) throw new SluiceError('SLUICE_SSO_INTERRUPTED')
    const [actor] = await em.execute<{ id: string; name: string }[]>(
      `select id, name from "identity"."user" where id = ?`,
      [userId],
    )
    const target = { type: 'sso-connection', id } as const
    const act = { action: 'sso.tested', actor: actor ?? null, organizationId, target } as const
    recordAct(em, { ...act, details: lastTest.problem ?? 'passed', ip, at: now() })
  })
}

function emptyTest({ now }: Context): SsoTest {
  const at = now().toISOString()
  return { at, problem: null, subject: null, email: null, name: null, attributes: [] }
}

function testOf(context: Context, person: SsoPerson): SsoTest {
  const { subject, email, name, attributes, isEmailDenied, roleValues } = person
  const problem =
    email === null
      ? 'it tells no email address: have it send the attribute email'
      : isEmailDenied
        ? 'it does not vouch for the email address: it is not verified, or a private Google account'
        : null
  return { ...emptyTest(context), problem, subject, email, name, attributes, roleValues }
}

function reasonOf(error: unknown): string {
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    return `${error.error}${error.error_description ? `: ${error.error_description}` : ''}`
  }
  if (!(error instanceof Error)) return 'the answer could not be read'
  const { cause } = error
  return cause instanceof Error && !(error instanceof SamlRefusal)
    ? `${error.message}: ${cause.message}`
    : error.message
}

/** Refusals are told by the page that the browser comes back to. */
async function telling(attempt: Attempt | null, go: () => Promise<string>): Promise<string> {
  try {
    return await go()
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return pathWithProblem(attempt, error)
  }
}

function pathWithProblem(attempt: Attempt | null, { code }: SluiceError): string {
  if (!attempt || attempt.purpose === 'enter') return `/sign-in?problem=${code}`
  const url = new URL(attempt.returnTo, 'http://console.invalid')
  url.searchParams.set('problem', code)
  return `${url.pathname}${url.search}${url.hash}`
}
