import { randomBytes } from 'node:crypto'

import {
  createInternalSigner,
  internalHeader,
  visitorIpHeader,
  type SubgraphName,
} from '@sluice/kit/internal-token'
import { silentLog } from '@sluice/kit/log'
import { anonymous, type Principal } from '@sluice/kit/principal'
import { generatePrivateJwks, openSigningKeys, publicJwksOf } from '@sluice/kit/signing-keys'
import { openDatabase, openTestRedis } from '@sluice/kit/testing'
import { inject } from 'vitest'

import { database } from './orm.ts'
import { createServer } from './server.ts'
import { createPasswords } from './sign-in/password.ts'
import type { SocialOptions } from './social/social.ts'
import { plainHashes } from './testing.ts'

export const signUp = `mutation { signUp(input: { email: "ada@example.test", password: "correct horse battery", name: "Ada" })
  { accessToken expiresAt user { id } } }`

/** The server with engines of its own, called as the gateway calls it. */
export async function openServer(
  options: { redisUrl?: string; consoleOrigin?: string; social?: SocialOptions } = {},
) {
  await using opened = new AsyncDisposableStack()
  const db = opened.use(await openDatabase({ ...database, serverUrl: inject('databaseUrl') }))
  const redis = opened.use(await openTestRedis(inject('redisUrl')))
  const signingJwks = await generatePrivateJwks()
  const internalJwks = await generatePrivateJwks(1)
  const serverOptions = {
    databaseUrl: db.url,
    redisUrl: options.redisUrl ?? redis.url,
    signingJwks,
    internalPublicJwks: publicJwksOf(internalJwks),
    port: 0,
    consoleOrigin: options.consoleOrigin ?? 'http://localhost:4000',
    sealingKeys: [{ id: 'test', key: randomBytes(32) }],
    ...(options.social && { social: options.social }),
    log: silentLog,
    passwords: createPasswords(plainHashes),
  }
  const server = await createServer(serverOptions)
  opened.defer(() => server.close())
  const url = `http://127.0.0.1:${server.port}`
  const signer = createInternalSigner(await openSigningKeys(internalJwks))
  const closing = opened.move()

  return {
    url,
    db,
    redisUrl: redis.url,
    server,
    serverOptions,
    headerFor: (principal: Principal, audience: SubgraphName = 'identity') =>
      signer.headerFor(principal, audience),
    async graph(
      query: string,
      {
        principal = anonymous,
        headers = {},
      }: { principal?: Principal; headers?: Record<string, string> } = {},
    ) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          [internalHeader]: await signer.headerFor(principal, 'identity'),
          [visitorIpHeader]: '192.0.2.1',
          ...headers,
        },
        body: JSON.stringify({ query }),
      })
      const { data, errors } = (await response.json()) as {
        data: Record<string, never> | null
        errors?: { extensions: { code: string } }[]
      }
      return {
        data: data as never as Record<string, { accessToken: string; user: { id: string } }> | null,
        code: errors?.[0]?.extensions.code,
        setCookie: response.headers.get('x-sluice-set-cookie'),
      }
    },
    authenticate: async (body: unknown, header: string | null) =>
      fetch(`${url}/internal/authenticate`, {
        method: 'POST',
        headers: header === null ? {} : { [internalHeader]: header },
        body: JSON.stringify(body),
      }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}
