import { json, list, logLevel, port, readConfig } from '@sluice/kit/config'
import { databaseUrlOf, databaseVariables } from '@sluice/kit/row-security'
import { sealingKeys } from '@sluice/kit/sealer'
import { PublicJwks } from '@sluice/kit/signing-keys'
import { z } from 'zod'

export const config = (env: NodeJS.ProcessEnv) => {
  const values = readConfig(env, {
    ...databaseVariables,
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
    databaseUrl: databaseUrlOf(values),
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
