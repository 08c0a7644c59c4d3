import { json, logLevel, port, readConfig } from '@sluice/kit/config'
import { z } from 'zod'

const PublicJwks = z.object({
  keys: z.array(z.looseObject({ kty: z.string(), crv: z.string(), x: z.string() })).min(1),
})

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
