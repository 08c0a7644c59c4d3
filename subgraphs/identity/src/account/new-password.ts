import type { Context } from '../context.ts'
import { passwordOf } from '../user/user.ts'

/** The hash of a password that somebody chose, if it may be one. */
export async function hashOfNew(
  { passwords, breachedPasswords }: Context,
  text: string,
  email: string,
): Promise<string> {
  const password = passwordOf(text, email)
  await breachedPasswords.assertUnknown(password)
  return passwords.hash(password)
}
