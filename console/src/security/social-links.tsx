import { Button, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'

import { StartSocialLinkDocument, UnlinkSocialDocument } from '../gql/graphql.ts'
import type { AccountSecurityQuery, SocialProvider } from '../gql/graphql.ts'
import { ProviderIcon } from '../sign-in/other-ways.tsx'
import { leaveFor, providerNames } from '../sign-in/providers.ts'
import { Confirm } from '../ui/confirm.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'

type SocialLink = AccountSecurityQuery['socialLinks'][number]

interface Props {
  readonly links: readonly SocialLink[]
  readonly providers: readonly SocialProvider[]
  readonly onChanged: () => void
}

/** Accounts elsewhere that can sign in to this one. */
export function SocialLinks({ links, providers, onChanged }: Props) {
  const [removing, setRemoving] = useState<SocialLink | null>(null)
  const linking = useAction(StartSocialLinkDocument)
  const removal = useAction(UnlinkSocialDocument)

  const link = async (provider: SocialProvider) => {
    const { data } = await linking.run({ provider, returnTo: location.pathname })
    if (data) leaveFor(data.startSocialLink)
  }

  return (
    <Stack gap="md">
      {links.map((one) => (
        <Group key={one.id} justify="space-between">
          <Group gap="sm">
            <ProviderIcon provider={one.provider} />
            <div>
              <Text size="sm" fw={600}>
                {providerNames[one.provider]}, {one.email}
              </Text>
              <Text size="sm" c="dimmed">
                {one.lastUsedAt ? (
                  <>
                    Last used <Ago at={one.lastUsedAt} />
                  </>
                ) : (
                  <>
                    Linked <Ago at={one.linkedAt} />
                  </>
                )}
              </Text>
            </div>
          </Group>
          <Button
            variant="default"
            size="xs"
            onClick={() => setRemoving(one)}
            aria-label={`Remove ${providerNames[one.provider]}, ${one.email}`}
          >
            Remove
          </Button>
        </Group>
      ))}
      <Group justify="space-between">
        <Text size="sm" maw={520}>
          A linked account signs you in here. Its address alone never does.
        </Text>
        <Group gap="xs">
          {providers.map((provider) => (
            <Button
              key={provider}
              variant="default"
              leftSection={<ProviderIcon provider={provider} />}
              loading={linking.isBusy}
              onClick={() => void link(provider)}
            >
              Link {providerNames[provider]}
            </Button>
          ))}
        </Group>
      </Group>
      {linking.problem && <ProblemNote problem={linking.problem} />}
      <Confirm
        isOpen={removing !== null}
        title={removing ? `Remove ${providerNames[removing.provider]}?` : ''}
        effect={`${removing?.email} can no longer sign in to your account.`}
        action="Remove it"
        onClose={() => setRemoving(null)}
        onConfirm={async () => {
          if (!removing) return null
          const { problem } = await removal.run({ id: removing.id })
          if (!problem) onChanged()
          return problem
        }}
      />
    </Stack>
  )
}
