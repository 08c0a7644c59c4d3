import { flag, logLevel, port, readConfig } from '@sluice/kit/config'
import { objectStoreSettings, objectStoreVariables } from '@sluice/kit/object-store'
import { databaseUrlOf, databaseVariables } from '@sluice/kit/row-security'
import { sealingKeys } from '@sluice/kit/sealer'
import { z } from 'zod'

export const config = (env: NodeJS.ProcessEnv) => {
  const values = readConfig(env, {
    ...databaseVariables,
    REDIS_URL: z.url(),
    ...objectStoreVariables,
    HOST: z.string().default('127.0.0.1'),
    LOG_LEVEL: logLevel.default('info'),
    PORT: port.default(9466),
    WEBHOOK_KEYS: sealingKeys.optional(),
    WEBHOOKS_ALLOW_PRIVATE: flag.default(false),
  })
  return {
    databaseUrl: databaseUrlOf(values),
    redisUrl: values.REDIS_URL,
    objectStore: objectStoreSettings(values),
    host: values.HOST,
    port: values.PORT,
    logLevel: values.LOG_LEVEL,
    webhookKeys: values.WEBHOOK_KEYS,
    allowPrivateWebhooks: values.WEBHOOKS_ALLOW_PRIVATE,
  }
}
