import { forkSystem } from '@sluice/kit/database'
import { silentLog } from '@sluice/kit/log'
import { expect, test } from 'vitest'

import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { linkLifeMs } from '../mail/mail-link.ts'
import { Mail, type MailKind } from '../mail/mail.entity.ts'
import { sendDueMails } from '../mail/send-mails.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { revokeOtherSignIns, revokeSignIn, findSignIns } from '../sign-in/end-sign-ins.ts'
import { refreshSignIn } from '../sign-in/refresh-sign-in.ts'
import { signIn } from '../sign-in/sign-in.ts'
import { openWorld, testPassword, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { proofLifeMs } from './assert-proved.ts'
import { changeEmail, confirmEmail, sendEmailVerification } from './confirm-email.ts'
import { changePassword, requestPasswordReset, resetPassword } from './password.ts'
import { reauthenticate } from './prove.ts'

const nextPassword = 'a better horse battery'
const system = (world: World) => forkSystem(world.db.orm)

/** Sends what is due and returns the newest mail of a kind to an address. */
async function mailTo(world: World, address: string, kind: MailKind): Promise<Mail | null> {
  const { orm, now } = world.deps
  const consoleOrigin = 'http://localhost:4000'
  while ((await sendDueMails({ orm, transport: null, consoleOrigin, now, log: silentLog })) > 0);
  const found = await system(world).find(
    Mail,
    { address, kind, outcome: 'kept' },
    { orderBy: { createdAt: 'desc' }, limit: 1 },
  )
  return found[0] ?? null
}

async function tokenTo(world: World, address: string, kind: MailKind): Promise<string> {
  const mail = await mailTo(world, address, kind)
  return /#([\w-]{43})/.exec(mail?.text ?? '')?.[1] ?? ''
}

const userOf = (world: World, id: string) => system(world).findOneOrFail(User, { id })
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  )
const actionsOf = async (world: World) =>
  (await system(world).find(AuditEntry, {}, { orderBy: { at: 'asc' } })).map(({ action }) => action)

test('the link of the mail confirms the address, once', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const token = await tokenTo(world, ada.email, 'verify-email')
  const open = () => codeOf(confirmEmail(world.request().context, token))

  const answers = await Promise.all([open(), open()])

  expect(new Set(answers)).toEqual(new Set(['SLUICE_LINK_INVALID', 'done']))
  expect((await userOf(world, ada.userId)).emailVerifiedAt).toEqual(world.deps.now())
  expect(await actionsOf(world)).toContain('user.email-verified')
})

test.for(['', 'x', 'A'.repeat(43), `${'A'.repeat(43)}'; --`])(
  'the made-up token %j opens nothing',
  async (token) => {
    await using world = await openWorld()
    await world.person()

    expect(await codeOf(confirmEmail(world.request().context, token))).toBe('SLUICE_LINK_INVALID')
    expect(await codeOf(resetPassword(world.request().context, token, nextPassword))).toBe(
      'SLUICE_LINK_INVALID',
    )
    expect(world.hashes()).toBe(1)
  },
)

test('links end with time, and do only what they were made for', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const verify = await tokenTo(world, ada.email, 'verify-email')
  await requestPasswordReset(world.request().context, ada.email)
  const reset = await tokenTo(world, ada.email, 'reset-password')

  const crossed = [
    await codeOf(resetPassword(world.request().context, verify, nextPassword)),
    await codeOf(confirmEmail(world.request().context, reset)),
  ]
  world.pass(linkLifeMs['reset-password'])
  const late = await codeOf(resetPassword(world.request().context, reset, nextPassword))

  expect([...crossed, late]).toEqual(Array.from({ length: 3 }, () => 'SLUICE_LINK_INVALID'))
})

test('a mail to confirm may be asked for again, a few times an hour, until it is confirmed', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { attemptsMax } = attemptLimits.mailByUser
  const codes = []
  for (let asked = 0; asked <= attemptsMax; asked += 1) {
    codes.push(await codeOf(sendEmailVerification(await ada.context())))
  }

  expect(codes.filter((code) => code === 'done')).toHaveLength(attemptsMax)
  expect(codes.at(-1)).toBe('SLUICE_RATE_LIMITED')
  expect(await codeOf(sendEmailVerification(world.request().context))).toBe(
    'SLUICE_UNAUTHENTICATED',
  )
})

test('a new password opens the account, ends every sign-in, and is told by mail', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  await requestPasswordReset(world.request().context, ` ${ada.email.toUpperCase()}`)
  const token = await tokenTo(world, ada.email, 'reset-password')

  const short = await codeOf(resetPassword(world.request().context, token, 'short'))
  await resetPassword(world.request().context, token, nextPassword)

  expect(short).toBe('SLUICE_INPUT_INVALID')
  expect((await ada.context()).principal.kind).toBe('anonymous')
  expect(world.revoked).toHaveLength(1)
  expect(await codeOf(signIn(world.request().context, ada.email, testPassword))).toBe(
    'SLUICE_SIGN_IN_FAILED',
  )
  expect(await codeOf(signIn(world.request().context, ada.email, nextPassword))).toBe('done')
  expect(await mailTo(world, ada.email, 'password-changed')).not.toBeNull()
  expect(await actionsOf(world)).toContain('user.password-reset')
  expect(await codeOf(resetPassword(world.request().context, token, nextPassword))).toBe(
    'SLUICE_LINK_INVALID',
  )
})

test('two links of one account: using one makes the other void', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  await requestPasswordReset(world.request().context, ada.email)
  const first = await tokenTo(world, ada.email, 'reset-password')
  world.pass(1)
  await requestPasswordReset(world.request().context, ada.email)
  const second = await tokenTo(world, ada.email, 'reset-password')

  await resetPassword(world.request().context, second, nextPassword)

  expect(await codeOf(resetPassword(world.request().context, first, 'thiefs horse battery'))).toBe(
    'SLUICE_LINK_INVALID',
  )
})

test('asking for a new password does the same for an address without an account', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const askedFor = async (address: string) => {
    const { context } = world.request()
    world.db.takeStatements()
    const answer = await requestPasswordReset(context, address)
    return { answer, sql: world.db.takeStatements().length }
  }

  const known = await askedFor(ada.email)
  const unknown = await askedFor('nobody@example.test')

  expect(unknown).toEqual(known)
  expect(await mailTo(world, 'nobody@example.test', 'reset-password')).toBeNull()
  expect(await mailTo(world, ada.email, 'reset-password')).not.toBeNull()
})

test('nobody is buried in mails, and known and unknown addresses are limited alike', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { attemptsMax } = attemptLimits.resetByEmail

  for (const address of [ada.email, 'nobody@example.test']) {
    const codes = []
    for (let asked = 0; asked <= attemptsMax; asked += 1) {
      codes.push(await codeOf(requestPasswordReset(world.request().context, address)))
    }
    expect(codes.indexOf('SLUICE_RATE_LIMITED')).toBe(attemptsMax)
  }
})

test('changing the password asks for the present one and ends the other sign-ins', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  await signIn(world.request().context, ada.email, testPassword)

  const wrong = await codeOf(changePassword(await ada.context(), 'wrong password', nextPassword))
  await changePassword(await ada.context(), testPassword, nextPassword)

  expect(wrong).toBe('SLUICE_PASSWORD_WRONG')
  expect((await ada.context()).principal.kind).toBe('user')
  expect(await findSignIns(await ada.context())).toHaveLength(1)
  expect(world.revoked).toHaveLength(1)
  expect(await mailTo(world, ada.email, 'password-changed')).not.toBeNull()
})

test('of two changes of the password at once, one happens', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const contexts = [await ada.context(), await ada.context()]

  const answers = await Promise.all(
    contexts.map((context, index) =>
      codeOf(changePassword(context, testPassword, `${index} ${nextPassword}`)),
    ),
  )

  expect(new Set(answers)).toEqual(new Set(['SLUICE_PASSWORD_WRONG', 'done']))
})

test('guessing the present password is stopped, from wherever it comes', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { attemptsMax } = attemptLimits.passwordByUser
  const codes = []
  for (let tried = 0; tried <= attemptsMax; tried += 1) {
    codes.push(await codeOf(reauthenticate(await ada.context(), `guess ${tried}`)))
  }

  expect(codes.indexOf('SLUICE_RATE_LIMITED')).toBe(attemptsMax)
})

test('a new address is taken over when its link is opened, and the old one is told', async () => {
  await using world = await openWorld()
  const ada = await world.person()

  await changeEmail(await ada.context(), 'Countess@Example.test')
  const before = (await userOf(world, ada.userId)).email
  const token = await tokenTo(world, 'countess@example.test', 'change-email')
  await confirmEmail(world.request().context, token)

  expect(before).toBe(ada.email)
  expect(await userOf(world, ada.userId)).toMatchObject({ email: 'countess@example.test' })
  expect(await mailTo(world, ada.email, 'email-change-asked')).not.toBeNull()
  expect(await mailTo(world, ada.email, 'email-changed')).not.toBeNull()
  expect(await actionsOf(world)).toContain('user.email-changed')
})

test('an address of another account is not told before, and not taken after the link', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const grace = await world.person('Grace')

  const asked = await codeOf(changeEmail(await ada.context(), grace.email))
  const token = await tokenTo(world, grace.email, 'change-email')
  const opened = await codeOf(confirmEmail(world.request().context, token))

  expect([asked, opened]).toEqual(['done', 'SLUICE_EMAIL_TAKEN'])
  expect((await userOf(world, ada.userId)).email).toBe(ada.email)
})

test('a reset link that went to the old address opens nothing after the change', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  await requestPasswordReset(world.request().context, ada.email)
  const reset = await tokenTo(world, ada.email, 'reset-password')
  await changeEmail(await ada.context(), 'countess@example.test')
  const token = await tokenTo(world, 'countess@example.test', 'change-email')
  await confirmEmail(world.request().context, token)

  expect(await codeOf(resetPassword(world.request().context, reset, nextPassword))).toBe(
    'SLUICE_LINK_INVALID',
  )
})

test('what guards the account is changed only shortly after a proof', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  world.pass(proofLifeMs + 1)

  const late = await codeOf(changeEmail(await ada.context(), 'countess@example.test'))
  await reauthenticate(await ada.context(), testPassword)
  const fresh = await codeOf(changeEmail(await ada.context(), 'countess@example.test'))

  expect([late, fresh]).toEqual(['SLUICE_REAUTHENTICATION_NEEDED', 'done'])
  expect(await actionsOf(world)).toContain('sign-in.proved')
})

test('sign-ins are listed with their device, and ended one by one or all others', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
  for (const ip of ['192.0.2.5', '192.0.2.6', '192.0.2.7']) {
    world.pass(1)
    await signIn(world.request({ ip, userAgent: firefox }).context, ada.email, testPassword)
  }
  const [newest] = await findSignIns(await ada.context())

  await revokeSignIn(await ada.context(), newest?.id ?? '')
  const left = await findSignIns(await ada.context())
  const ended = await revokeOtherSignIns(await ada.context())

  expect(newest).toMatchObject({ lastIp: '192.0.2.7', userAgent: firefox })
  expect(left).toHaveLength(3)
  expect(ended).toBe(2)
  expect(await findSignIns(await ada.context())).toHaveLength(1)
  expect(world.revoked).toHaveLength(3)
})

test('somebody else’s sign-in looks missing, and goes on', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const grace = await world.person('Grace')
  const [graces = ''] = grace.refreshToken.split('.')

  expect(await codeOf(revokeSignIn(await ada.context(), graces))).toBe('SLUICE_SIGN_IN_NOT_FOUND')
  expect((await grace.context()).principal.kind).toBe('user')
})

test('the list says where a sign-in was used last', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { refreshToken } = ada
  await refreshSignIn(world.request({ refreshToken, ip: '198.51.100.9' }).context)

  expect(await findSignIns(await ada.context())).toMatchObject([{ lastIp: '198.51.100.9' }])
})
