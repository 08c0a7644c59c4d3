import { z } from 'zod'

import { isLoopback } from './loopback.ts'
import type { SocialOptions } from './social.ts'

const address = z
  .url({ protocol: /^https?$/ })
  .refine((url) => url.startsWith('https:') || isLoopback(url), 'needs https')
  .transform((url) => url.replace(/\/+$/, ''))
const text = z.string().min(1).max(500).optional()

/** What the environment says of the providers. One without both id and secret is not offered. */
export const socialVariables = {
  GOOGLE_CLIENT_ID: text,
  GOOGLE_CLIENT_SECRET: text,
  GOOGLE_ISSUER: address.default('https://accounts.google.com'),
  GITHUB_CLIENT_ID: text,
  GITHUB_CLIENT_SECRET: text,
  GITHUB_URL: address.default('https://github.com'),
  GITHUB_API_URL: address.optional(),
}

type Values = z.output<z.ZodObject<typeof socialVariables>>

export function socialOptionsOf(values: Values): SocialOptions {
  const google = clientOf(values.GOOGLE_CLIENT_ID, values.GOOGLE_CLIENT_SECRET)
  const github = clientOf(values.GITHUB_CLIENT_ID, values.GITHUB_CLIENT_SECRET)
  const url = values.GITHUB_URL
  const ownApi = url === 'https://github.com' ? 'https://api.github.com' : `${url}/api/v3`
  return {
    google: google && { ...google, issuer: values.GOOGLE_ISSUER },
    github: github && { ...github, url, apiUrl: values.GITHUB_API_URL ?? ownApi },
  }
}

function clientOf(clientId: string | undefined, clientSecret: string | undefined) {
  return clientId && clientSecret ? { clientId, clientSecret } : null
}
