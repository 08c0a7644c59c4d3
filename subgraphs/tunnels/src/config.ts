import { flag, json, logLevel, port, portRange, readConfig } from '@sluice/kit/config'
import { objectStoreSettings, objectStoreVariables } from '@sluice/kit/object-store'
import { databaseUrlOf, databaseVariables } from '@sluice/kit/row-security'
import { sealingKeys } from '@sluice/kit/sealer'
import { PrivateJwks, PublicJwks } from '@sluice/kit/signing-keys'
import { z } from 'zod'

const name = '[a-z0-9][a-z0-9-]{0,31}'

/** `one,two` */
const names = z
  .string()
  .regex(new RegExp(`^${name}(,${name})*$`))
  .transform((text) => text.split(','))

/** `eu=3,us=1` */
const regionWeights = z
  .string()
  .regex(new RegExp(`^${name}=\\d{1,4}(,${name}=\\d{1,4})*$`))
  .transform((text) => new Map(text.split(',').map(weightOf)))

/** `eu:us,ap;us:eu` */
const failoverRegions = z
  .string()
  .regex(new RegExp(`^${name}:${name}(,${name})*(;${name}:${name}(,${name})*)*$`))
  .transform((text) => new Map(text.split(';').map(standInsOf)))

function weightOf(text: string): [string, number] {
  const [region = '', weight] = text.split('=')
  return [region, Number(weight)]
}

function standInsOf(text: string): [string, string[]] {
  const [region = '', others = ''] = text.split(':')
  return [region, others.split(',')]
}

export const config = (env: NodeJS.ProcessEnv) => {
  const values = readConfig(env, {
    ...databaseVariables,
    REDIS_URL: z.url(),
    SIGNING_JWKS: json.pipe(PrivateJwks),
    INTERNAL_PUBLIC_JWKS: json.pipe(PublicJwks),
    ...objectStoreVariables,
    HOST: z.string().default('127.0.0.1'),
    LOG_LEVEL: logLevel.default('info'),
    PORT: port.default(4002),
    PUBLIC_TUNNEL_URL_HTTP: z.url({ protocol: /^https?$/ }).optional(),
    PUBLIC_TUNNEL_URL_HTTPS: z.url({ protocol: /^https$/ }).optional(),
    TUNNELS_TCP_PORTS: portRange.optional(),
    TUNNELS_UDP_PORTS: portRange.optional(),
    TUNNELS_PORTS_FOR_ALL: flag.default(false),
    WEBHOOK_KEYS: sealingKeys.optional(),
    WEBHOOKS_ALLOW_PRIVATE: flag.default(false),
    RELAY_EDGE_POOL: names.optional(),
    RELAY_REGION_WEIGHTS: regionWeights.default(new Map()),
    RELAY_FAILOVER_REGIONS: failoverRegions.default(new Map()),
  })
  return {
    databaseUrl: databaseUrlOf(values),
    redisUrl: values.REDIS_URL,
    signingJwks: values.SIGNING_JWKS,
    internalPublicJwks: values.INTERNAL_PUBLIC_JWKS,
    objectStore: objectStoreSettings(values),
    host: values.HOST,
    port: values.PORT,
    logLevel: values.LOG_LEVEL,
    publicTunnelUrls: {
      http: values.PUBLIC_TUNNEL_URL_HTTP,
      https: values.PUBLIC_TUNNEL_URL_HTTPS,
    },
    tunnelPorts: {
      tcp: values.TUNNELS_TCP_PORTS,
      udp: values.TUNNELS_UDP_PORTS,
      forAllPlans: values.TUNNELS_PORTS_FOR_ALL,
    },
    webhookKeys: values.WEBHOOK_KEYS,
    allowPrivateWebhooks: values.WEBHOOKS_ALLOW_PRIVATE,
    edgeAssignment: {
      pools: values.RELAY_EDGE_POOL,
      regionWeights: values.RELAY_REGION_WEIGHTS,
      failoverRegions: values.RELAY_FAILOVER_REGIONS,
    },
  }
}
