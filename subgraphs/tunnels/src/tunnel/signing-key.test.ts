import { forkSystem } from '@sluice/kit/database'
import { openKeyRing, ownerOfKey, sealerOfRoots, signingKeyEvents } from '@sluice/kit/key-ring'
import { silentLog } from '@sluice/kit/log'
import { generatePrivateJwks } from '@sluice/kit/signing-keys'
import { decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'

import { openWorld } from '../testing/world.ts'

test('agent tokens are signed by the key that identity has told of, and by none that it did not seal', async () => {
  await using world = await openWorld()
  const { orm, now } = world.parts
  const roots = await generatePrivateJwks(1)
  const ring = await openKeyRing({ orm, roots, now, log: silentLog })
  const tell = async (sealing: typeof roots, activeFrom: Date) => {
    const [key] = (await generatePrivateJwks(1)).keys
    if (!key) throw new Error('no key was made')
    const { kid: id, x: publicKey, d } = key
    const sealed = sealerOfRoots(sealing).seal(d, ownerOfKey({ id, publicKey }))
    const payload = { id, publicKey, ...sealed, activeFrom: activeFrom.toISOString() }
    await forkSystem(orm).transactional((em) =>
      signingKeyEvents()['signing-key.activated'](em, payload),
    )
    await ring.read()
    return id
  }
  const signing = async () => decodeProtectedHeader(await ring.sign('test+jwt', {}, 60)).kid

  const first = await signing()
  const told = await tell(roots, now())
  const second = await signing()
  await tell(await generatePrivateJwks(1), new Date(now().getTime() + 1))

  expect(first).toBe(roots.keys[0]?.kid)
  expect([second, await signing()]).toEqual([told, told])
  ring.close()
})
