import { expect, test } from 'vitest'

import { createPasswords } from './password.ts'

test('a password is kept as argon2id with 19 MiB, two passes and one lane', async () => {
  const passwords = createPasswords()

  const hash = await passwords.hash('correct horse battery')

  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await passwords.isRight('correct horse battery', hash)).toBe(true)
  expect(await passwords.isRight('correct horse batterz', hash)).toBe(false)
  expect(await passwords.isRight('correct horse battery', null)).toBe(false)
})

test('of many who hash at once few run, some wait, and the rest are told to come back', async () => {
  let running = 0
  let most = 0
  const passwords = createPasswords({
    async hash() {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return 'hash'
    },
    verify: async () => true,
  })

  const answers = await Promise.allSettled(
    Array.from({ length: 100 }, () => passwords.hash('password')),
  )

  const refused = answers.filter((answer) => answer.status === 'rejected')
  expect(most).toBe(2)
  expect(refused).toHaveLength(100 - 2 - 64)
  expect(refused[0]?.reason).toMatchObject({ code: 'SLUICE_RATE_LIMITED' })
  await expect(passwords.hash('password')).resolves.toBe('hash')
})
