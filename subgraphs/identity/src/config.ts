import { flag, json, list, logLevel, port, readConfig } from '@sluice/kit/config'
import { objectStoreSettings, objectStoreVariables } from '@sluice/kit/object-store'
import { databaseUrlOf, databaseVariables } from '@sluice/kit/row-security'
import { sealingKeys } from '@sluice/kit/sealer'
import { PrivateJwks, PublicJwks } from '@sluice/kit/signing-keys'
import type { JSONWebKeySet } from 'jose'
import { z } from 'zod'

import { impersonationMsOf, watchOptionsOf, watchVariables } from './anomaly/watch-config.ts'
import { socialOptionsOf, socialVariables } from './social/social-config.ts'

/** `sluice@example.com`, or with a name: `Sluice <sluice@example.com>`. */
const mailFrom = /^(?:[^<>"\r\n]+ <)?[^\s<>@",]+@[^\s<>@",]+>?$/

export const config = (env: NodeJS.ProcessEnv) => {
  const values = readConfig(env, {
    ...databaseVariables,
    OWNER_DATABASE_URL: z.url().optional(),
    REDIS_URL: z.url(),
    SIGNING_JWKS: json.pipe(PrivateJwks),
    SIGNING_KEY_DAYS: z.coerce.number().int().min(0).max(3_650).default(90),
    INTERNAL_PUBLIC_JWKS: json.pipe(PublicJwks),
    AUDIT_JWKS: json.pipe(PrivateJwks).optional(),
    ALLOW_PRIVATE_ADDRESSES: flag.default(false),
    DNS_SERVERS: list.optional(),
    ...objectStoreVariables,
    CONSOLE_ORIGIN: z.url(),
    SECOND_FACTOR_KEYS: sealingKeys.refine((keys) => keys.length > 0, 'names no key'),
    SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
    MAIL_FROM: z.string().max(320).regex(mailFrom, 'is not an address').optional(),
    INVITATION_DAYS: z.coerce.number().int().min(1).max(90).default(7),
    BREACHED_PASSWORDS_URL: z.url({ protocol: /^https?$/ }).optional(),
    ...socialVariables,
    ...watchVariables,
    HOST: z.string().default('127.0.0.1'),
    PORT: port.default(4001),
    LOG_LEVEL: logLevel.default('info'),
  })
  return {
    databaseUrl: databaseUrlOf(values),
    ownerDatabaseUrl:
      values.OWNER_DATABASE_URL &&
      databaseUrlOf({ ...values, DATABASE_URL: values.OWNER_DATABASE_URL }),
    redisUrl: values.REDIS_URL,
    signingJwks: values.SIGNING_JWKS,
    signingKeyDays: values.SIGNING_KEY_DAYS || null,
    internalPublicJwks: values.INTERNAL_PUBLIC_JWKS as JSONWebKeySet,
    auditJwks: values.AUDIT_JWKS,
    allowPrivateAddresses: values.ALLOW_PRIVATE_ADDRESSES,
    dnsServers: values.DNS_SERVERS,
    objectStore: objectStoreSettings(values),
    consoleOrigin: values.CONSOLE_ORIGIN,
    sealingKeys: values.SECOND_FACTOR_KEYS,
    mail: values.SMTP_URL
      ? { smtpUrl: values.SMTP_URL, from: values.MAIL_FROM ?? senderOf(values.CONSOLE_ORIGIN) }
      : null,
    invitationLifeMs: values.INVITATION_DAYS * 24 * 60 * 60_000,
    breachedPasswordsUrl: values.BREACHED_PASSWORDS_URL ?? null,
    social: socialOptionsOf(values),
    watch: watchOptionsOf(values),
    impersonationMsMax: impersonationMsOf(values),
    host: values.HOST,
    port: values.PORT,
    logLevel: values.LOG_LEVEL,
  }
}

function senderOf(consoleOrigin: string): string {
  return `Sluice <no-reply@${new URL(consoleOrigin).hostname}>`
}
