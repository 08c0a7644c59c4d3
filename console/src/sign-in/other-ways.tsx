import { Button, Divider, Stack } from '@mantine/core'
import { IconBrandGithub, IconBrandGoogle } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'

import { SocialProvidersDocument, StartSocialSignInDocument } from '../gql/graphql.ts'
import type { SocialProvider } from '../gql/graphql.ts'
import { problemAt, unreachable, type Problem } from '../graph/problem.ts'
import { leaveFor, providerNames } from './providers.ts'
import { useDoor } from './sign-in-context.ts'

interface Props {
  /** The path to come back to, signed in. */
  readonly returnTo: string
  readonly onProblem: (problem: Problem | null) => void
  readonly children?: ReactNode
}

/** Ways in beside email and password, as far as this server has them. */
export function OtherWays({ returnTo, onProblem, children }: Props) {
  const { anonymous } = useDoor()
  const providers = useProviders()
  const [leaving, setLeaving] = useState<SocialProvider | null>(null)
  if (providers.length === 0 && !children) return null

  const leave = async (provider: SocialProvider) => {
    onProblem(null)
    setLeaving(provider)
    const { data, error } = await anonymous
      .mutation(StartSocialSignInDocument, { provider, returnTo })
      .toPromise()
    if (data) return leaveFor(data.startSocialSignIn)
    setLeaving(null)
    onProblem(problemAt(error) ?? unreachable('the answer was empty'))
  }

  return (
    <Stack gap="sm">
      <Divider label="or" />
      {providers.map((provider) => (
        <Button
          key={provider}
          variant="default"
          fullWidth
          leftSection={<ProviderIcon provider={provider} />}
          loading={leaving === provider}
          onClick={() => void leave(provider)}
        >
          Continue with {providerNames[provider]}
        </Button>
      ))}
      {children}
    </Stack>
  )
}

export function ProviderIcon({ provider }: { provider: SocialProvider }) {
  const Icon = provider === 'GOOGLE' ? IconBrandGoogle : IconBrandGithub
  return <Icon size={18} aria-hidden />
}

/** None until the server has told: the form above works meanwhile, and without. */
function useProviders(): readonly SocialProvider[] {
  const { anonymous } = useDoor()
  const [providers, setProviders] = useState<readonly SocialProvider[]>([])
  useEffect(() => {
    let isGone = false
    void anonymous
      .query(SocialProvidersDocument, {})
      .toPromise()
      .then(({ data }) => {
        if (data && !isGone) setProviders(data.socialProviders)
      })
    return () => {
      isGone = true
    }
  }, [anonymous])
  return providers
}
