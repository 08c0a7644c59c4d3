import { authExchange } from '@urql/exchange-auth'
import type { Client as LiveClient } from 'graphql-ws'
import { cacheExchange, createClient, fetchExchange, subscriptionExchange } from 'urql'
import type { Client, Exchange } from 'urql'

import type { SignInStore } from '../sign-in/sign-in.ts'
import { isUnauthenticated } from './problem.ts'

const graphUrl = '/graphql'

interface Options {
  readonly signIn: SignInStore
  readonly live: LiveClient
}

/** The client of one signed-in member: its cache must not outlive the sign-in. */
export function createGraph({ signIn, live }: Options): Client {
  return createClient({
    url: graphUrl,
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    exchanges: [cacheExchange, authentication(signIn), subscriptions(live), fetchExchange],
  })
}

/** The client of the pages before sign-in, and of the refresh: it holds no credential but the cookie. */
export function createAnonymousGraph(url = graphUrl): Client {
  return createClient({
    url,
    preferGetMethod: false,
    requestPolicy: 'network-only',
    exchanges: [cacheExchange, fetchExchange],
  })
}

function authentication(signIn: SignInStore): Exchange {
  return authExchange(async (operations) => {
    await signIn.freshToken()
    return {
      addAuthToOperation(operation) {
        const token = signIn.token()
        return token
          ? operations.appendHeaders(operation, { authorization: `Bearer ${token}` })
          : operation
      },
      willAuthError: () => signIn.isStale(),
      didAuthError: isUnauthenticated,
      refreshAuth: async () => {
        await signIn.refresh()
      },
    }
  })
}

function subscriptions(live: LiveClient): Exchange {
  return subscriptionExchange({
    forwardSubscription: ({ query = '', variables, operationName }) => ({
      subscribe: (sink) => ({
        unsubscribe: live.subscribe(
          { query, variables: { ...variables }, operationName: operationName ?? null },
          {
            // The two libraries type the same wire message in two ways.
            next: (result) => sink.next(result as Parameters<typeof sink.next>[0]),
            error: (error) => sink.error(error),
            complete: () => sink.complete(),
          },
        ),
      }),
    }),
  })
}
