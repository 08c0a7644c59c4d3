import { json, list, logLevel, port, readConfig } from '@sluice/kit/config'
import { PrivateJwks } from '@sluice/kit/signing-keys'
import { z } from 'zod'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'is not a list of SHA-256 digests in hex')

/** The gateway's configuration from the environment. */
export function config(env: NodeJS.ProcessEnv) {
  const read = readConfig(env, {
    PORT: port.default(4000),
    HOST: z.string().default('127.0.0.1'),
    METRICS_PORT: port.default(9463),
    IDENTITY_URL: z.url(),
    TUNNELS_URL: z.url(),
    DOMAINS_URL: z.url(),
    BILLING_URL: z.url(),
    REDIS_URL: z.url(),
    CONSOLE_ORIGIN: z.url(),
    CONSOLE_DIST: z.string().optional(),
    INTERNAL_JWKS: json.pipe(PrivateJwks),
    INTERNAL_KEY_HOURS: z.coerce.number().int().min(1).max(720).default(24),
    RELAY_KEY_HASHES: list.pipe(z.array(sha256)).default([]),
    DOCUMENTS: z.enum(['any', 'registered']).default('registered'),
    TRUSTED_PROXIES: list.default([]),
    LOG_LEVEL: logLevel.default('info'),
  })
  return {
    logLevel: read.LOG_LEVEL,
    options: {
      port: read.PORT,
      host: read.HOST,
      metricsPort: read.METRICS_PORT,
      processFigures: true,
      subgraphs: {
        identity: read.IDENTITY_URL,
        tunnels: read.TUNNELS_URL,
        domains: read.DOMAINS_URL,
        billing: read.BILLING_URL,
      },
      identityUrl: read.IDENTITY_URL,
      redisUrl: read.REDIS_URL,
      consoleOrigin: new URL(read.CONSOLE_ORIGIN).origin,
      ...(read.CONSOLE_DIST === undefined ? {} : { consoleDist: read.CONSOLE_DIST }),
      internalSigningJwks: read.INTERNAL_JWKS,
      internalKeyMs: read.INTERNAL_KEY_HOURS * 3_600_000,
      relayKeyHashes: read.RELAY_KEY_HASHES,
      documents: read.DOCUMENTS,
      trustedProxies: read.TRUSTED_PROXIES,
    },
  }
}
