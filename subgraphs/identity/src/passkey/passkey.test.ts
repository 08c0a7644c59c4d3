import { forkSystem } from '@sluice/kit/database'
import { Secret, TOTP } from 'otpauth'
import { expect, test } from 'vitest'

import { assertProved, proofLifeMs } from '../account/assert-proved.ts'
import { AuditEntry } from '../audit/audit-entry.entity.ts'
import { Mail } from '../mail/mail.entity.ts'
import { confirmSecondFactor, startSecondFactor } from '../second-factor/second-factor.ts'
import { openWorld, type Person, type World } from '../testing.ts'
import { User } from '../user/user.entity.ts'
import { addPasskey, startPasskey } from './add-passkey.ts'
import { challengeLifeMs } from './challenge.ts'
import { Passkey } from './passkey.entity.ts'
import { findPasskeys, removePasskey, renamePasskey } from './passkeys.ts'
import { createAuthenticator } from './testing-authenticator.ts'
import {
  proveWithPasskey,
  signInWithPasskey,
  startPasskeyProof,
  startPasskeySignIn,
} from './use-passkey.ts'

type Authenticator = ReturnType<typeof createAuthenticator>

const codeOf = (error: { code: string }) => error.code

async function addTo(person: Person, authenticator: Authenticator, name = 'Laptop') {
  const context = await person.context()
  return addPasskey(context, name, authenticator.create(await startPasskey(context)))
}

/** The user that the answer of the authenticator signs in, or the code of the refusal. */
async function signInBy(
  world: World,
  answer: (options: string) => string,
): Promise<string | undefined> {
  const { context, cookie } = world.request()
  const response = answer(await startPasskeySignIn(context))
  const outcome = await signInWithPasskey(context, response).then(({ user }) => user.id, codeOf)
  return outcome.startsWith('SLUICE_') || cookie() ? outcome : undefined
}

test('a passkey signs in without email, password or second factor', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const authenticator = createAuthenticator()
  await addTo(ada, authenticator)
  const { secret } = await startSecondFactor(await ada.context())
  const timestamp = world.deps.now().getTime()
  const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp })
  await confirmSecondFactor(await ada.context(), code)

  const twice = [
    await signInBy(world, (options) => authenticator.use(options)),
    await signInBy(world, (options) => authenticator.use(options)),
  ]

  expect(twice).toEqual([ada.userId, ada.userId])
  const em = forkSystem(world.db.orm)
  const acts = await em.find(AuditEntry, { action: 'sign-in.started', details: 'with a passkey' })
  expect(acts).toHaveLength(2)
  expect(await em.count(Mail, { kind: 'passkey-added' })).toBe(1)
  expect(await em.findOneOrFail(Passkey, { userId: ada.userId })).toMatchObject({ signCount: 2 })
})

test('what another origin, another site, a key without its user or another key signed is refused', async () => {
  await using world = await openWorld()
  const [ada, bob] = [await world.person(), await world.person('Bob')]
  const [adas, bobs] = [createAuthenticator(), createAuthenticator()]
  await addTo(ada, adas)
  await addTo(bob, bobs)

  const refused = [
    await signInBy(world, (options) => adas.use(options, { origin: 'https://localhost:4000' })),
    await signInBy(world, (options) => adas.use(options, { origin: 'http://evil.example' })),
    await signInBy(world, (options) => adas.use(options, { rpID: 'evil.example' })),
    await signInBy(world, (options) => adas.use(options, { isUserVerified: false })),
    await signInBy(world, (options) => adas.use(options, { type: 'webauthn.create' })),
    await signInBy(world, (options) => adas.use(options, { userHandle: 'AAAA' })),
    await signInBy(world, (options) => {
      const forged = JSON.parse(bobs.use(options))
      return JSON.stringify({ ...forged, id: adas.id, rawId: adas.id })
    }),
    await signInBy(world, (options) => createAuthenticator().use(options)),
    await signInBy(world, () => 'null'),
    await signInBy(world, (options) => {
      const answer = JSON.parse(adas.use(options))
      return JSON.stringify({ ...answer, id: { $ne: '' } })
    }),
    await signInBy(world, () => '{'),
    await signInBy(world, () => `"${'x'.repeat(30_000)}"`),
  ]

  expect(refused).toEqual(refused.map(() => 'SLUICE_PASSKEY_REFUSED'))
})

test('a challenge is answered once, in time, and for what it was made', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const authenticator = createAuthenticator()
  await addTo(ada, authenticator)
  const proofOptions = await startPasskeyProof(await ada.context())
  const fresh = await startPasskeySignIn(world.request().context)
  const answer = authenticator.use(fresh)
  const late = await startPasskeySignIn(world.request().context)

  const outcomes = [
    await signInBy(world, () => authenticator.use(proofOptions)),
    await signInBy(world, (options) => authenticator.use(options, { challenge: 'AAAA' })),
  ]
  const first = await signInBy(world, () => answer).catch(codeOf)
  outcomes.push(await signInBy(world, () => answer))
  world.pass(challengeLifeMs + 1)
  outcomes.push(await signInBy(world, () => authenticator.use(late)))

  // The count of that answer is below those that came before, all of them refused: none was noted.
  expect(first).toBe(ada.userId)
  expect(outcomes).toEqual(outcomes.map(() => 'SLUICE_PASSKEY_REFUSED'))
})

test('a copied passkey is found out by its count', async () => {
  await using world = await openWorld()
  const ada = await world.person()
  const authenticator = createAuthenticator()
  await addTo(ada, authenticator)
  await signInBy(world, (options) => authenticator.use(options))
  await signInBy(world, (options) => authenticator.use(options))

  authenticator.count = 0
  const copy = await signInBy(world, (options) => authenticator.use(options))

  expect(copy).toBe('SLUICE_PASSKEY_REFUSED')
})

test('adding takes a proof, a challenge of one’s own and a key that is not there yet', async () => {
  await using world = await openWorld()
  const [ada, bob] = [await world.person(), await world.person('Bob')]
  const authenticator = createAuthenticator()
  await addTo(ada, authenticator)
  const bobsOptions = await startPasskey(await bob.context())
  const adas = await ada.context()

  const outcomes = [
    await addTo(bob, authenticator).catch(codeOf),
    await addPasskey(adas, 'x', createAuthenticator().create(bobsOptions)).catch(codeOf),
    await addPasskey(
      adas,
      'x',
      createAuthenticator().create(await startPasskey(adas), { isUserVerified: false }),
    ).catch(codeOf),
  ]
  world.pass(proofLifeMs + 1)
  outcomes.push(await startPasskey(await ada.context()).catch(codeOf))

  expect(outcomes).toEqual([
    'SLUICE_PASSKEY_REFUSED',
    'SLUICE_PASSKEY_REFUSED',
    'SLUICE_PASSKEY_REFUSED',
    'SLUICE_REAUTHENTICATION_NEEDED',
  ])
  expect(await findPasskeys(await bob.context())).toEqual([])
})

test('a passkey proves that it is still them, and another’s does not', async () => {
  await using world = await openWorld()
  const [ada, bob] = [await world.person(), await world.person('Bob')]
  const [adas, bobs] = [createAuthenticator(), createAuthenticator()]
  await addTo(ada, adas)
  await addTo(bob, bobs)
  world.pass(proofLifeMs + 1)
  const context = await ada.context()

  const foreign = bobs.use(await startPasskeyProof(context))
  const refused = await proveWithPasskey(context, foreign).catch(codeOf)
  const before = await assertProved(context).catch(codeOf)
  await proveWithPasskey(context, adas.use(await startPasskeyProof(context)))

  expect([refused, before]).toEqual(['SLUICE_PASSKEY_REFUSED', 'SLUICE_REAUTHENTICATION_NEEDED'])
  await assertProved(context)
})

test('a passkey is renamed and removed by its owner alone, and the last way in stays', async () => {
  await using world = await openWorld()
  const [ada, bob] = [await world.person(), await world.person('Bob')]
  const { id } = await addTo(ada, createAuthenticator())
  const [bobs, adas] = [await bob.context(), await ada.context()]

  const foreign = [
    await renamePasskey(bobs, id, 'Mine').catch(codeOf),
    await removePasskey(bobs, id).catch(codeOf),
    await removePasskey(bobs, 'x').catch(codeOf),
  ]
  const renamed = await renamePasskey(adas, id, ' Phone ')
  await forkSystem(world.db.orm).nativeUpdate(User, { id: ada.userId }, { passwordHash: null })
  const last = await removePasskey(adas, id).catch(codeOf)
  await addTo(ada, createAuthenticator(), 'Key')
  await removePasskey(adas, id)

  expect(foreign).toEqual(foreign.map(() => 'SLUICE_PASSKEY_NOT_FOUND'))
  expect([renamed.name, last]).toEqual(['Phone', 'SLUICE_LAST_WAY_IN'])
  expect((await findPasskeys(adas)).map(({ name }) => name)).toEqual(['Key'])
})
