import { flag, list, logLevel, port, readConfig } from '@sluice/kit/config'
import { databaseUrlOf, databaseVariables } from '@sluice/kit/row-security'
import { z } from 'zod'

export const config = (env: NodeJS.ProcessEnv) => {
  const values = readConfig(env, {
    ...databaseVariables,
    REDIS_URL: z.url(),
    HOST: z.string().default('127.0.0.1'),
    PORT: port.default(9465),
    LOG_LEVEL: logLevel.default('info'),
    CNAME_TARGET: z.string().min(1).max(253),
    DNS_SERVERS: list.optional(),
    TLS_PORT: port.default(443),
    TRUSTED_AUTHORITIES: z.string().optional(),
    ALLOW_PRIVATE_TARGETS: flag.default(false),
  })
  return {
    databaseUrl: databaseUrlOf(values),
    redisUrl: values.REDIS_URL,
    host: values.HOST,
    port: values.PORT,
    logLevel: values.LOG_LEVEL,
    cnameTarget: values.CNAME_TARGET,
    dnsServers: values.DNS_SERVERS,
    tlsPort: values.TLS_PORT,
    trustedAuthorities: values.TRUSTED_AUTHORITIES,
    allowPrivateTargets: values.ALLOW_PRIVATE_TARGETS,
  }
}
