import { json, logLevel, port, readConfig } from '@sluice/kit/config'
import { PublicJwks } from '@sluice/kit/signing-keys'
import { z } from 'zod'

export const config = (env: NodeJS.ProcessEnv) => {
  const values = readConfig(env, {
    DATABASE_URL: z.url(),
    REDIS_URL: z.url(),
    INTERNAL_PUBLIC_JWKS: json.pipe(PublicJwks),
    HOST: z.string().default('127.0.0.1'),
    PORT: port.default(4004),
    LOG_LEVEL: logLevel.default('info'),
  })
  return {
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    internalPublicJwks: values.INTERNAL_PUBLIC_JWKS,
    host: values.HOST,
    port: values.PORT,
    logLevel: values.LOG_LEVEL,
  }
}
