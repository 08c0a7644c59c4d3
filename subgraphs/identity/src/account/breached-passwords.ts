import { createHash } from 'node:crypto'

import type { Log } from '@sluice/kit/log'
import { SluiceError } from '@sluice/schema/errors'
import { dictionary } from '@zxcvbn-ts/language-common'

const answerTimeoutMs = 2_000
const answerBytesMax = 256 * 1024
const prefixCharacters = 5

/** Refuses passwords that guessers try first. */
export interface BreachedPasswords {
  /** Throws SLUICE_PASSWORD_BREACHED for a password that is known to others. */
  assertUnknown(password: string): Promise<void>
}

/**
 * Knows the passwords that most people use. With `rangeUrl` it also asks a service in the form of “Have I Been Pwned”,
 * which learns the first five characters of a digest and never the password (k-anonymity).
 */
export function createBreachedPasswords(rangeUrl: string | null, log: Log): BreachedPasswords {
  const common = new Set(dictionary['passwords-common'])
  return {
    async assertUnknown(password) {
      const known =
        common.has(password.toLowerCase()) ||
        (rangeUrl !== null && (await isInRange(rangeUrl, password, log)))
      if (known) throw new SluiceError('SLUICE_PASSWORD_BREACHED')
    },
  }
}

/** A service that does not answer keeps nobody from choosing a password. */
async function isInRange(rangeUrl: string, password: string, log: Log): Promise<boolean> {
  const digest = createHash('sha1').update(password).digest('hex').toUpperCase()
  try {
    const response = await fetch(new URL(digest.slice(0, prefixCharacters), rangeUrl), {
      redirect: 'error',
      // The service fills up its answers, so that their length tells nothing about the prefix either.
      headers: { 'add-padding': 'true' },
      signal: AbortSignal.timeout(answerTimeoutMs),
    })
    if (!response.ok) throw new Error(`the range service answered ${response.status}`)
    return isListed(await readBounded(response), digest.slice(prefixCharacters))
  } catch (error) {
    log.warn({ err: error }, 'breached passwords could not be asked for')
    return false
  }
}

async function readBounded({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > answerBytesMax) throw new Error('the answer of the range service is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('latin1')
}

/** Lines of `SUFFIX:COUNT`; a count of 0 is padding. */
function isListed(text: string, suffix: string): boolean {
  const line = text.split(/\r?\n/).find((one) => one.startsWith(`${suffix}:`))
  return line !== undefined && Number(line.slice(suffix.length + 1)) > 0
}
