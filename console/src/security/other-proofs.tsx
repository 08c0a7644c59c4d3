import { Button, Stack } from '@mantine/core'
import { IconFingerprint } from '@tabler/icons-react'
import { useRef, useState } from 'react'
import { useClient } from 'urql'

import {
  ReauthenticateWithPasskeyDocument,
  StartPasskeyProofDocument,
  StartSocialProofDocument,
} from '../gql/graphql.ts'
import type { SocialProvider, WaysToProveQuery } from '../gql/graphql.ts'
import type { Problem } from '../graph/problem.ts'
import { problemAt, unreachable } from '../graph/problem.ts'
import { ProviderIcon } from '../sign-in/other-ways.tsx'
import { canUsePasskeys, getPasskey } from '../sign-in/passkey.ts'
import { leaveFor, providerNames } from '../sign-in/providers.ts'
import { formText } from '../ui/form-text.ts'

interface Props {
  readonly ways: WaysToProveQuery
  readonly onProved: () => void
  readonly onProblem: (problem: Problem) => void
}

/** How somebody can show that it is still them beside their password, as far as they have set it up. */
export function OtherProofs({ ways, onProved, onProblem }: Props) {
  const client = useClient()
  const [isBusy, setBusy] = useState(false)
  const frame = useRef<HTMLDivElement>(null)
  const providers = [...new Set(ways.socialLinks.map(({ provider }) => provider))]

  const run = async (prove: () => Promise<Problem | null>) => {
    setBusy(true)
    const problem = await prove()
    setBusy(false)
    if (problem) onProblem(problem)
  }
  const byPasskey = async (): Promise<Problem | null> => {
    const started = await client.mutation(StartPasskeyProofDocument, {}).toPromise()
    if (!started.data) return problemAt(started.error) ?? unreachable('the answer was empty')
    const { response, problem } = await getPasskey(started.data.startPasskeyProof)
    if (problem) return problem
    const { data, error } = await client
      .mutation(ReauthenticateWithPasskeyDocument, { response })
      .toPromise()
    if (!data) return problemAt(error) ?? unreachable('the answer was empty')
    onProved()
    return null
  }
  /** The browser comes back to this page, where what was begun has to be begun again. */
  const byProvider = async (provider: SocialProvider): Promise<Problem | null> => {
    const form = frame.current?.closest('form')
    const code = (form && formText(form, 'code')) || null
    const { data, error } = await client
      .mutation(StartSocialProofDocument, { provider, returnTo: location.pathname, code })
      .toPromise()
    if (!data) return problemAt(error) ?? unreachable('the answer was empty')
    leaveFor(data.startSocialProof)
    return null
  }

  return (
    <Stack gap="sm" ref={frame}>
      {ways.passkeys.length > 0 && canUsePasskeys() && (
        <Button
          variant="default"
          leftSection={<IconFingerprint size={18} aria-hidden />}
          loading={isBusy}
          onClick={() => void run(byPasskey)}
        >
          Continue with a passkey
        </Button>
      )}
      {providers.map((provider) => (
        <Button
          key={provider}
          variant="default"
          leftSection={<ProviderIcon provider={provider} />}
          loading={isBusy}
          onClick={() => void run(() => byProvider(provider))}
        >
          Continue with {providerNames[provider]}
        </Button>
      ))}
    </Stack>
  )
}
