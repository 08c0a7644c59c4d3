import { createHash, randomInt } from 'node:crypto'

import type { EntityManager } from '@sluice/kit/database'

import { RecoveryCode } from './recovery-code.entity.ts'

const recoveryCodes = 10
/** Without what is easily mistaken for another: 16 of these 30 characters are 78 random bits. */
const alphabet = 'abcdefghjkmnpqrstvwxyz23456789'
const codeCharacters = 16
const groupCharacters = 4

/** Replaces a user's recovery codes. The codes are in the answer and nowhere else. */
export async function replaceRecoveryCodes(em: EntityManager, userId: string): Promise<string[]> {
  await em.nativeDelete(RecoveryCode, { userId })
  const codes = Array.from({ length: recoveryCodes }, makeCode)
  for (const code of codes) {
    em.persist(em.create(RecoveryCode, { userId, codeHash: hashOf(code), usedAt: null }))
  }
  await em.flush()
  return codes.map(grouped)
}

/** Uses up a recovery code. The row decides: of two sign-ins with one code, one gets in. */
export async function takeRecoveryCode(
  em: EntityManager,
  userId: string,
  text: string,
  at: Date,
): Promise<boolean> {
  const code = text.toLowerCase().replaceAll(/[\s-]/g, '')
  if (code.length !== codeCharacters) return false
  const unused = { userId, codeHash: hashOf(code), usedAt: null }
  return (await em.nativeUpdate(RecoveryCode, unused, { usedAt: at })) > 0
}

function makeCode(): string {
  const characters = Array.from(
    { length: codeCharacters },
    () => alphabet[randomInt(alphabet.length)],
  )
  return characters.join('')
}

function grouped(code: string): string {
  return (code.match(new RegExp(`.{${groupCharacters}}`, 'g')) ?? []).join('-')
}

function hashOf(code: string): string {
  return createHash('sha256').update(code).digest('hex')
}
