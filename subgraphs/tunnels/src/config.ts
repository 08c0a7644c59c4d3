import { flag, json, logLevel, port, portRange, readConfig } from '@sluice/kit/config'
import { objectStoreSettings, objectStoreVariables } from '@sluice/kit/object-store'
import { PrivateJwks, PublicJwks } from '@sluice/kit/signing-keys'
import { z } from 'zod'

export const config = (env: NodeJS.ProcessEnv) => {
  const values = readConfig(env, {
    DATABASE_URL: z.url(),
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
  })
  return {
    databaseUrl: values.DATABASE_URL,
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
  }
}
