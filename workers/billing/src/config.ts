import { logLevel, port, readConfig } from '@sluice/kit/config'
import { databaseUrlOf, databaseVariables } from '@sluice/kit/row-security'
import { z } from 'zod'

export const config = (env: NodeJS.ProcessEnv) => {
  const values = readConfig(env, {
    ...databaseVariables,
    REDIS_URL: z.url(),
    HOST: z.string().default('127.0.0.1'),
    PORT: port.default(9464),
    LOG_LEVEL: logLevel.default('info'),
  })
  return {
    databaseUrl: databaseUrlOf(values),
    redisUrl: values.REDIS_URL,
    host: values.HOST,
    port: values.PORT,
    logLevel: values.LOG_LEVEL,
  }
}
