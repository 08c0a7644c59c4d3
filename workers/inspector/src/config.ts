import { logLevel, port, readConfig } from '@sluice/kit/config'
import { objectStoreSettings, objectStoreVariables } from '@sluice/kit/object-store'
import { z } from 'zod'

export const config = (env: NodeJS.ProcessEnv) => {
  const values = readConfig(env, {
    DATABASE_URL: z.url(),
    REDIS_URL: z.url(),
    ...objectStoreVariables,
    HOST: z.string().default('127.0.0.1'),
    LOG_LEVEL: logLevel.default('info'),
    PORT: port.default(9466),
  })
  return {
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    objectStore: objectStoreSettings(values),
    host: values.HOST,
    port: values.PORT,
    logLevel: values.LOG_LEVEL,
  }
}
