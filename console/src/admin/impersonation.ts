import type { Grant } from '../sign-in/sign-in.ts'

/** As whom this tab acts. It ends with the tab at the latest: other tabs stay who they are. */
export interface Impersonation {
  readonly id: string
  readonly accessToken: string
  /** ISO time. */
  readonly expiresAt: string
  readonly userId: string
  readonly name: string
  readonly email: string
  readonly mayChange: boolean
}

const key = 'sluice-impersonation'
/** A token with less left than this opens no page any more. */
const leastLeftMs = 90_000

/** The impersonation of this tab, or null. One whose time is over is forgotten. */
export function currentImpersonation(): Impersonation | null {
  const text = sessionStorage.getItem(key)
  if (text === null) return null
  const found = JSON.parse(text) as Impersonation
  if (Date.parse(found.expiresAt) - Date.now() > leastLeftMs) return found
  forgetImpersonation()
  return null
}

/** Everything starts anew as somebody else: nothing of the pages before is kept. */
export function enterAs(impersonation: Impersonation): void {
  sessionStorage.setItem(key, JSON.stringify(impersonation))
  location.assign('/')
}

export function forgetImpersonation(): void {
  sessionStorage.removeItem(key)
}

/** Back to oneself, at the user whom one was. */
export function leaveImpersonation({ userId }: Impersonation): void {
  forgetImpersonation()
  location.assign(`/admin/users/${userId}`)
}

export function grantOfImpersonation(impersonation: Impersonation): Grant {
  const { accessToken, expiresAt, userId } = impersonation
  return { accessToken, expiresAt, userId }
}
