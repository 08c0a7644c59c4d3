import { json, list, logLevel, port, readConfig } from '@sluice/kit/config'
import { PublicJwks } from '@sluice/kit/signing-keys'
import { z } from 'zod'

/** `id:key` with commas between: an id of up to 64 characters, and 32 bytes in base64. */
const sealingKeys = list
  .transform((items) =>
    items.map((item) => {
      const [id = '', ...rest] = item.split(':')
      return { id, key: Buffer.from(rest.join(':'), 'base64') }
    }),
  )
  .refine(
    (keys) => keys.every(({ id, key }) => /^[\w.-]{1,64}$/.test(id) && key.length === 32),
    'is not a list of id:key with 32 bytes in base64',
  )
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'names a key twice')

export const config = (env: NodeJS.ProcessEnv) => {
  const values = readConfig(env, {
    DATABASE_URL: z.url(),
    REDIS_URL: z.url(),
    INTERNAL_PUBLIC_JWKS: json.pipe(PublicJwks),
    HOST: z.string().default('127.0.0.1'),
    PORT: port.default(4003),
    LOG_LEVEL: logLevel.default('info'),
    CNAME_TARGET: z.string().min(1).max(253),
    OWN_APEXES: list,
    DNS_SERVERS: list.optional(),
    CERTIFICATE_KEYS: sealingKeys.optional(),
  })
  return {
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    internalPublicJwks: values.INTERNAL_PUBLIC_JWKS,
    host: values.HOST,
    port: values.PORT,
    logLevel: values.LOG_LEVEL,
    cnameTarget: values.CNAME_TARGET,
    ownApexes: values.OWN_APEXES,
    dnsServers: values.DNS_SERVERS,
    sealingKeys: values.CERTIFICATE_KEYS,
  }
}
