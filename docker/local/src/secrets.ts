import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { EngineError } from '@sluice/kit/engines'
import { generatePrivateJwks, PrivateJwks } from '@sluice/kit/signing-keys'
import { z } from 'zod'

const Secrets = z.object({
  /** Signs sign-ins and agent tokens. */
  signingJwks: PrivateJwks,
  /** Signs what the gateway says to subgraphs. */
  internalJwks: PrivateJwks,
  /** Signs the heads of the audit; made when it is missing. */
  auditJwks: PrivateJwks.optional(),
  relayKey: z.string().startsWith('slrk_'),
  /** Seals the private keys of certificates. Made when it is missing: installations from before have none. */
  certificateKey: z.base64().length(44).optional(),
  /** Seals the secrets of second factors; made when it is missing, too. */
  secondFactorKey: z.base64().length(44).optional(),
  /** Seals the secrets of webhooks. */
  webhookKey: z.base64().length(44).optional(),
})
type Stored = z.infer<typeof Secrets>
export type Secrets = { [Name in keyof Stored]-?: NonNullable<Stored[Name]> }

/** The secrets of this installation, made on the first start and readable by their owner only. */
export async function openSecrets(dataFolder: string): Promise<Secrets> {
  const file = join(dataFolder, 'secrets.json')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    const secrets: Secrets = {
      signingJwks: await generatePrivateJwks(2),
      internalJwks: await generatePrivateJwks(1),
      auditJwks: await generatePrivateJwks(1),
      relayKey: `slrk_${randomBytes(32).toString('base64url')}`,
      certificateKey: newSealingKey(),
      secondFactorKey: newSealingKey(),
      webhookKey: newSealingKey(),
    }
    writeFileSync(file, JSON.stringify(secrets), { mode: 0o600, flag: 'wx' })
    return secrets
  }
  const secrets = read(file, text)
  const completed: Secrets = {
    ...secrets,
    auditJwks: secrets.auditJwks ?? (await generatePrivateJwks(1)),
    certificateKey: secrets.certificateKey ?? newSealingKey(),
    secondFactorKey: secrets.secondFactorKey ?? newSealingKey(),
    webhookKey: secrets.webhookKey ?? newSealingKey(),
  }
  if (Object.keys(completed).length === Object.keys(secrets).length) return completed
  // Whole or not at all: what is lost here cannot be made again.
  writeFileSync(`${file}.new`, JSON.stringify(completed), { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return completed
}

function read(file: string, text: string): Stored {
  try {
    return Secrets.parse(JSON.parse(text))
  } catch {
    throw new EngineError(
      `${file} is damaged: restore it from a backup, or remove it (everyone signs in again).`,
    )
  }
}

function newSealingKey(): string {
  return randomBytes(32).toString('base64')
}

/** What the gateway knows of a relay key. */
export function relayKeyHash(relayKey: string): string {
  return createHash('sha256').update(relayKey).digest('hex')
}
