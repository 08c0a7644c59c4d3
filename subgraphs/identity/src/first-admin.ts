import { randomBytes } from 'node:crypto'

import { forkSystem, type Orm } from '@sluice/kit/database'

import { addOrganization } from './organization/organization.ts'
import type { Passwords } from './sign-in/password.ts'
import { addUser } from './sign-in/sign-up.ts'
import { User } from './user/user.entity.ts'

export interface FirstAdmin {
  email: string
  password: string
}

const email = 'admin@sluice.local'
const advisoryLock = 'sluice:identity:first-admin'

/**
 * Makes the platform's first admin while nobody has an account, and returns the sign-in; null at every later start.
 * The password is nowhere else, so whoever starts the server prints it.
 */
export async function seedFirstAdmin(
  orm: Orm,
  passwords: Passwords,
  now: () => Date,
): Promise<FirstAdmin | null> {
  if ((await forkSystem(orm).count(User)) > 0) return null
  const password = randomBytes(15).toString('base64url')
  const passwordHash = await passwords.hash(password)
  return forkSystem(orm).transactional(async (em) => {
    // Of replicas that start together, one makes the admin.
    await em.execute(`select pg_advisory_xact_lock(hashtextextended(?, 0))`, [advisoryLock])
    if ((await em.count(User)) > 0) return null
    const at = now()
    const row = {
      email,
      name: 'Admin',
      passwordHash,
      isAdmin: true,
      createdAt: at,
      emailVerifiedAt: at,
    }
    const admin = await addUser(em, row)
    await addOrganization(em, 'Operators', admin, '', at)
    return { email, password }
  })
}
