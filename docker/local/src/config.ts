import { join } from 'node:path'

import { socialOptionsOf, socialVariables } from '@sluice/identity/social-config'
import { logLevel, port, portRange, readConfig } from '@sluice/kit/config'
import { objectStoreSettings, objectStoreVariables } from '@sluice/kit/object-store'
import { z } from 'zod'

/** What `npm start` can be told. Everything has a value that works on a laptop. */
export const config = (env: NodeJS.ProcessEnv, root: string) => {
  const values = readConfig(env, {
    SLUICE_DATA: z.string().default(join(root, '.sluice')),
    SLUICE_CONSOLE_PORT: port.default(4000),
    SLUICE_HTTP_PORT: port.default(8080),
    SLUICE_HTTPS_PORT: port.default(8443),
    SLUICE_METRICS_PORT: port.default(9463),
    SLUICE_TUNNEL_PORTS: portRange.default({ first: 20_000, last: 20_099 }),
    SLUICE_LOG_LEVEL: logLevel.default('warn'),
    ...objectStoreVariables,
    SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
    MAIL_FROM: z.string().default('Sluice <no-reply@localhost>'),
    ...socialVariables,
    DATABASE_URL: z.url().optional(),
    REDIS_URL: z.url().optional(),
  })
  const metrics = (offset: number) =>
    values.SLUICE_METRICS_PORT === 0 ? 0 : values.SLUICE_METRICS_PORT + offset
  return {
    dataFolder: values.SLUICE_DATA,
    logLevel: values.SLUICE_LOG_LEVEL,
    objectStore: objectStoreSettings(values) ?? { folder: join(values.SLUICE_DATA, 'objects') },
    mail: values.SMTP_URL ? { smtpUrl: values.SMTP_URL, from: values.MAIL_FROM } : null,
    social: socialOptionsOf(values),
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    /** Public ports of TCP tunnels, and of UDP tunnels. */
    tunnelPorts: values.SLUICE_TUNNEL_PORTS,
    ports: {
      console: values.SLUICE_CONSOLE_PORT,
      http: values.SLUICE_HTTP_PORT,
      https: values.SLUICE_HTTPS_PORT,
      gatewayMetrics: metrics(0),
      billingWorker: metrics(1),
      certificatesWorker: metrics(2),
      inspectorWorker: metrics(3),
      relayAdmin: metrics(4),
    },
  }
}

export type LocalConfig = ReturnType<typeof config>

/** The variable that moves a port, for the message when it is taken. */
export const portVariables: Record<keyof LocalConfig['ports'], string> = {
  console: 'SLUICE_CONSOLE_PORT',
  http: 'SLUICE_HTTP_PORT',
  https: 'SLUICE_HTTPS_PORT',
  gatewayMetrics: 'SLUICE_METRICS_PORT',
  billingWorker: 'SLUICE_METRICS_PORT',
  certificatesWorker: 'SLUICE_METRICS_PORT',
  inspectorWorker: 'SLUICE_METRICS_PORT',
  relayAdmin: 'SLUICE_METRICS_PORT',
}
