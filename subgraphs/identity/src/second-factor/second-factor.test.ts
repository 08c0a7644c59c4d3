import { randomBytes } from 'node:crypto'

import { forkSystem } from '@sluice/kit/database'
import { Sealer } from '@sluice/kit/sealer'
import { Secret, TOTP } from 'otpauth'
import { expect, test } from 'vitest'

import { proofLifeMs } from '../account/assert-proved.ts'
import { reauthenticate } from '../account/prove.ts'
import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { Mail } from '../mail/mail.entity.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { signIn } from '../sign-in/sign-in.ts'
import { openWorld, testPassword, type Person, type World } from '../testing.ts'
import { resealSecondFactors } from './reseal.ts'
import {
  confirmSecondFactor,
  findSecondFactor,
  removeSecondFactor,
  renewRecoveryCodes,
  startSecondFactor,
} from './second-factor.ts'

const stepMs = 30_000
const system = (world: World) => forkSystem(world.db.orm)
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  )

/** The app on somebody's phone. */
function appOf(world: World, secret: string) {
  const totp = new TOTP({ secret: Secret.fromBase32(secret) })
  return (aheadMs = 0) => totp.generate({ timestamp: world.deps.now().getTime() + aheadMs })
}

async function turnOn(world: World, person: Person) {
  const { secret, uri } = await startSecondFactor(await person.context())
  const code = appOf(world, secret)
  const recovery = await confirmSecondFactor(await person.context(), code())
  world.pass(stepMs)
  return { secret, uri, code, recovery }
}

const enter = (world: World, { email }: Person, code?: string, password = testPassword) =>
  codeOf(signIn(world.request().context, email, password, code ?? null))

test('signing in needs a code beside the password once the factor is confirmed', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const started = await startSecondFactor(await ada.context())
  const before = await enter(world, ada)
  await confirmSecondFactor(await ada.context(), appOf(world, started.secret)())
  world.pass(stepMs)

  expect(before).toBe('done')
  expect(await enter(world, ada)).toBe('SLUICE_CODE_NEEDED')
  expect(await enter(world, ada, '000000')).toBe('SLUICE_CODE_WRONG')
  expect(await enter(world, ada, appOf(world, started.secret)())).toBe('done')
  expect(started.uri).toMatch(/^otpauth:\/\/totp\/Sluice%20localhost:/)
})

test('a wrong password is told before the code is looked at, and says nothing of a factor', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { code } = await turnOn(world, ada)

  expect(await enter(world, ada, code(), 'wrong password')).toBe('SLUICE_SIGN_IN_FAILED')
  expect(await enter(world, ada, code())).toBe('done')
})

test('a code is good once, also for two who use it at the same moment', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { code } = await turnOn(world, ada)
  const present = code()

  const answers = await Promise.all([enter(world, ada, present), enter(world, ada, present)])

  expect(new Set(answers)).toEqual(new Set(['done', 'SLUICE_CODE_WRONG']))
  expect(await enter(world, ada, present)).toBe('SLUICE_CODE_WRONG')
})

test('a code of one step off is taken, but none from before the last one that was', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { code } = await turnOn(world, ada)
  world.pass(stepMs * 3)

  expect(await enter(world, ada, code(stepMs * 2))).toBe('SLUICE_CODE_WRONG')
  expect(await enter(world, ada, code(-stepMs * 2))).toBe('SLUICE_CODE_WRONG')
  expect(await enter(world, ada, code(stepMs))).toBe('done')
  expect(await enter(world, ada, code())).toBe('SLUICE_CODE_WRONG')
})

test('each recovery code opens once, in any spelling, and its use is told by mail', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { recovery } = await turnOn(world, ada)
  const [first = '', second = ''] = recovery

  expect(new Set(recovery).size).toBe(10)
  expect(await enter(world, ada, ` ${first.toUpperCase().replaceAll('-', ' ')} `)).toBe('done')
  expect(await enter(world, ada, first)).toBe('SLUICE_CODE_WRONG')
  const both = await Promise.all([enter(world, ada, second), enter(world, ada, second)])
  expect(new Set(both)).toEqual(new Set(['done', 'SLUICE_CODE_WRONG']))
  expect(await findSecondFactor(await ada.context())).toMatchObject({ recoveryCodesLeft: 8 })
  expect(await system(world).count(Mail, { kind: 'recovery-code-used' })).toBe(2)
})

test('guessing codes is stopped, from wherever the guesses come', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { code } = await turnOn(world, ada)
  const { attemptsMax } = attemptLimits.codeByUser
  for (let tried = 0; tried < attemptsMax; tried += 1) await enter(world, ada, '000000')

  expect(await enter(world, ada, code())).toBe('SLUICE_RATE_LIMITED')
})

test('neither secret nor recovery codes are in the database', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { secret, recovery } = await turnOn(world, ada)
  const rows = await system(world).execute(
    `select to_jsonb(f) || to_jsonb(r) as one from identity.second_factor f join identity.recovery_code r on r.user_id = f.user_id`,
  )
  const dump = JSON.stringify(rows)

  expect(rows).toHaveLength(10)
  for (const canary of [secret, ...recovery, ...recovery.map((code) => code.replaceAll('-', ''))]) {
    expect(dump).not.toContain(canary)
  }
})

test('a secret that is moved to another account opens nothing', async () => {
  await using world = await openWorld()
  const [ada, eve] = [await world.person(), await world.person('Eve')]
  await turnOn(world, ada)
  const eves = await turnOn(world, eve)
  await system(world).execute(
    `update identity.second_factor a set sealed_secret = e.sealed_secret
     from identity.second_factor e where a.user_id = ? and e.user_id = ?`,
    [ada.userId, eve.userId],
  )

  expect(await enter(world, ada, eves.code())).not.toBe('done')
})

test('turning it on or off, and new codes, need a fresh proof, which then needs a code', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { code } = await turnOn(world, ada)
  world.pass(proofLifeMs + 1)
  const late = [startSecondFactor, removeSecondFactor, renewRecoveryCodes].map(async (act) =>
    codeOf(act(await ada.context())),
  )

  expect(new Set(await Promise.all(late))).toEqual(new Set(['SLUICE_REAUTHENTICATION_NEEDED']))
  expect(await codeOf(reauthenticate(await ada.context(), testPassword))).toBe('SLUICE_CODE_NEEDED')
  expect(await codeOf(reauthenticate(await ada.context(), testPassword, code()))).toBe('done')
  expect(await codeOf(startSecondFactor(await ada.context()))).toBe('SLUICE_SECOND_FACTOR_ON')
})

test('new recovery codes void those before, and turning it off voids all', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { recovery } = await turnOn(world, ada)
  const renewed = await renewRecoveryCodes(await ada.context())

  expect(await enter(world, ada, recovery[0])).toBe('SLUICE_CODE_WRONG')
  expect(await enter(world, ada, renewed[0])).toBe('done')
  await removeSecondFactor(await ada.context())
  expect(await enter(world, ada)).toBe('done')
  expect(await findSecondFactor(await ada.context())).toBeNull()
  const audited = await system(world).find(AuditEntry, { targetId: ada.userId })
  expect(new Set(audited.map(({ action }) => action))).toEqual(
    new Set([
      'user.signed-up',
      'user.second-factor-started',
      'user.second-factor-on',
      'user.recovery-codes-renewed',
      'user.recovery-code-used',
      'user.second-factor-off',
    ]),
  )
})

test('only a code of the new secret turns it on', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const first = await startSecondFactor(await ada.context())
  const second = await startSecondFactor(await ada.context())

  expect(await codeOf(confirmSecondFactor(await ada.context(), appOf(world, first.secret)()))).toBe(
    'SLUICE_CODE_WRONG',
  )
  expect(
    await codeOf(confirmSecondFactor(await ada.context(), appOf(world, second.secret)())),
  ).toBe('done')
  expect(await codeOf(confirmSecondFactor(await ada.context(), '123456'))).toBe(
    'SLUICE_SECOND_FACTOR_OFF',
  )
})

test('a new sealing key takes over at the next start, and the old one can be given up', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const { code } = await turnOn(world, ada)
  const old = { id: 'old', key: randomBytes(32) }
  const next = { id: 'next', key: randomBytes(32) }
  const { sealer } = world.deps

  // What the world's own key has sealed cannot be opened by others: it stays, and is told.
  const lost = await resealSecondFactors(system(world), new Sealer([next, old]))

  expect(lost).toEqual({ resealed: 0, failed: 1 })
  expect(await resealSecondFactors(system(world), sealer)).toEqual({ resealed: 0, failed: 0 })
  expect(await enter(world, ada, code())).toBe('done')
})
