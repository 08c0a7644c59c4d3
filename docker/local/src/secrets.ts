import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { EngineError } from '@sluice/kit/engines'
import { generatePrivateJwks, PrivateJwks } from '@sluice/kit/signing-keys'
import { z } from 'zod'

const Secrets = z.object({
  /** Signs sign-ins and agent tokens. */
  signingJwks: PrivateJwks,
  /** Signs what the gateway says to subgraphs. */
  internalJwks: PrivateJwks,
  relayKey: z.string().startsWith('slrk_'),
})
export type Secrets = z.infer<typeof Secrets>

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
      relayKey: `slrk_${randomBytes(32).toString('base64url')}`,
    }
    writeFileSync(file, JSON.stringify(secrets), { mode: 0o600, flag: 'wx' })
    return secrets
  }
  try {
    return Secrets.parse(JSON.parse(text))
  } catch {
    throw new EngineError(
      `${file} is damaged: restore it from a backup, or remove it (everyone signs in again).`,
    )
  }
}

/** What the gateway knows of a relay key. */
export function relayKeyHash(relayKey: string): string {
  return createHash('sha256').update(relayKey).digest('hex')
}
