import type { Log } from '@sluice/kit/log'
import { redisChannels, type CertificateChange } from '@sluice/schema/redis'
import type { Redis } from 'ioredis'

/** Tells relays, after the commit, to ask for a domain's certificate anew. When it is lost, they ask after some minutes. */
export async function announceCertificate(
  { redis, log }: { redis: Redis; log: Log },
  domain: string,
): Promise<void> {
  const change: CertificateChange = { domain }
  await redis
    .publish(redisChannels.certificates, JSON.stringify(change))
    .catch((error: unknown) => log.warn({ err: error, domain }, 'a certificate was not announced'))
}
