import type { Client } from 'urql'

import {
  currentImpersonation,
  forgetImpersonation,
  grantOfImpersonation,
  leaveImpersonation,
} from '../admin/impersonation.ts'
import { RefreshSignInDocument, SignOutOfSsoDocument } from '../gql/graphql.ts'
import { problemAt, unreachable } from '../graph/problem.ts'
import { leaveFor } from './providers.ts'
import type { Grant, RefreshAnswer, SignInStore } from './sign-in.ts'
import { createSignIn } from './sign-in.ts'

/** One name for the lock and the channel that all tabs of this console share. */
const shared = 'sluice-sign-in'

interface SignedIn {
  readonly accessToken: string
  readonly expiresAt: string
  readonly user: { readonly id: string }
}

export function grantOf({ accessToken, expiresAt, user }: SignedIn): Grant {
  return { accessToken, expiresAt, userId: user.id }
}

/** The sign-in of this browser: tabs take turns at refreshing, and a sign-out in one is a sign-out in all. */
export function createBrowserSignIn(anonymous: Client) {
  // Its token is good once per page: a refusal, or the end of its time, leads back to oneself.
  let impersonation = currentImpersonation()
  const signIn = createSignIn({
    async refresh() {
      if (impersonation) {
        const grant = grantOfImpersonation(impersonation)
        impersonation = null
        return { kind: 'granted', grant }
      }
      forgetImpersonation()
      return inTurn(() => refreshThrough(anonymous))
    },
    now: Date.now,
    setTimer(fire, delayMs) {
      const id = setTimeout(fire, delayMs)
      return () => clearTimeout(id)
    },
  })
  const channel = new BroadcastChannel(shared)
  channel.addEventListener('message', () => signIn.end())

  return {
    ...signIn,
    async signOut() {
      const acting = currentImpersonation()
      if (acting) return leaveImpersonation(acting)
      const token = signIn.token()
      signIn.end()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no target
      channel.postMessage('out')
      const { data } = await anonymous
        .mutation(
          SignOutOfSsoDocument,
          {},
          token ? { fetchOptions: { headers: { authorization: `Bearer ${token}` } } } : {},
        )
        .toPromise()
      // Whoever came by single sign-on is signed in there as well.
      if (data?.signOutOfSso) leaveFor(data.signOutOfSso)
    },
    close() {
      channel.close()
      signIn.close()
    },
  } satisfies SignInStore & { signOut: () => Promise<void> }
}

export type BrowserSignIn = ReturnType<typeof createBrowserSignIn>

async function refreshThrough(anonymous: Client): Promise<RefreshAnswer> {
  const { data, error } = await anonymous.mutation(RefreshSignInDocument, {}).toPromise()
  if (data) return { kind: 'granted', grant: grantOf(data.refreshSignIn) }
  const problem = problemAt(error) ?? unreachable('the answer was empty')
  const isRefusal = error?.graphQLErrors.some(({ extensions }) => extensions['status'] === 401)
  return { kind: isRefusal ? 'refused' : 'unreachable', problem }
}

/** A refresh token is good once: two tabs that used it at the same time would end the sign-in of both. */
function inTurn<T>(run: () => Promise<T>): Promise<T> {
  // Browsers offer locks to https and localhost only; elsewhere a single tab is still safe.
  if (!('locks' in navigator)) return run()
  return navigator.locks.request(shared, run)
}
