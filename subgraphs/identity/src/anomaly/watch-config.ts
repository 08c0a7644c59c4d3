import { ConfigError } from '@sluice/kit/config'
import { z } from 'zod'

import type { WatchOptions } from './open-watch.ts'

const minuteMs = 60_000
const minutes = (max: number) => z.coerce.number().int().min(1).max(max)

/** What operators say about attacks. */
export const watchVariables = {
  AUTH_ABUSE_BLOCK_THRESHOLD: z.coerce.number().int().min(5).max(1_000_000).default(50),
  AUTH_ABUSE_BLOCK_WINDOW_MINUTES: minutes(24 * 60).default(15),
  SECURITY_ALERT_WEBHOOK_URL: z.url({ protocol: /^https?$/ }).optional(),
  SECURITY_ALERT_WEBHOOK_SECRET: z.string().min(16).max(500).optional(),
  SECURITY_ALERT_COOLDOWN_MINUTES: minutes(7 * 24 * 60).default(15),
  GEOIP_PATH: z.string().min(1).optional(),
  IMPERSONATION_MINUTES: minutes(60).default(30),
}

type Values = z.infer<z.ZodObject<typeof watchVariables>>

export function watchOptionsOf(values: Values): WatchOptions {
  const { SECURITY_ALERT_WEBHOOK_URL: url, SECURITY_ALERT_WEBHOOK_SECRET: secret } = values
  if (url && !secret) {
    throw new ConfigError(
      'SECURITY_ALERT_WEBHOOK_URL needs SECURITY_ALERT_WEBHOOK_SECRET, which signs the alerts',
    )
  }
  const cooldownMs = values.SECURITY_ALERT_COOLDOWN_MINUTES * minuteMs
  return {
    blocks: {
      failuresMax: values.AUTH_ABUSE_BLOCK_THRESHOLD,
      windowMs: values.AUTH_ABUSE_BLOCK_WINDOW_MINUTES * minuteMs,
    },
    alerts: url && secret ? { url, secret, cooldownMs } : null,
    geoipPath: values.GEOIP_PATH ?? null,
  }
}

export function impersonationMsOf(values: Values): number {
  return values.IMPERSONATION_MINUTES * minuteMs
}
