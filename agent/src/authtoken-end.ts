import { cliOperations } from '@sluice/schema/operations/cli'

import type { Api } from './api.ts'
import type { Output } from './output.ts'

const dayMs = 86_400_000
const soonMs = 7 * dayMs

/** Warns when the authtoken ends within a week. A server that cannot say so keeps nobody from working. */
export async function warnOfEnd(
  api: Api,
  output: Pick<Output, 'warning'>,
  { server, now = Date.now }: { server: string; now?: () => number },
): Promise<void> {
  const endsAt = await api
    .query<{ viewer: { expiresAt: string | null } }>(cliOperations.credentialEnd)
    .then(({ viewer }) => viewer.expiresAt)
    .catch(() => null)
  const text = endsAt === null ? null : endText(Date.parse(endsAt) - now(), endsAt)
  if (text !== null) {
    output.warning(`${text} Rotate it at ${server}/authtokens, then run \`sluice login\`.`)
  }
}

function endText(leftMs: number, endsAt: string): string | null {
  if (!(leftMs <= soonMs)) return null
  const days = Math.floor(leftMs / dayMs)
  const left = days > 1 ? `in ${days} days` : leftMs > dayMs ? 'in a day' : 'within a day'
  return `The authtoken expires ${left}, on ${endsAt.slice(0, 10)}.`
}
