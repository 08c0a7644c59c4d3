import { Button, Group, Radio, Stack, Text } from '@mantine/core'
import { useState } from 'react'

import { SetSsoEnforcementDocument } from '../gql/graphql.ts'
import type { SsoEnforcement } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { Command } from '../ui/copy.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import type { StepProps } from './sso-page.tsx'

const choices = {
  OFF: { label: 'Nobody', about: 'Single sign-on is off.' },
  OPTIONAL: { label: 'Whoever likes', about: 'Passwords and passkeys are good as well.' },
  REQUIRED: {
    label: 'Everybody',
    about:
      'Other sign-ins lose this organization at once. Owners with a second factor still come in with their own account, so that you are never locked out.',
  },
} as const satisfies Record<SsoEnforcement, { label: string; about: string }>

function isChoice(value: string): value is SsoEnforcement {
  return Object.hasOwn(choices, value)
}

/** Off, beside other sign-ins, or instead of them. */
export function Enforcement({ connection, onChanged }: StepProps) {
  const { organization } = usePlace()
  const { run, isBusy, problem } = useAction(SetSsoEnforcementDocument)
  const [chosen, setChosen] = useState<SsoEnforcement>(connection.enforcement)
  const isUntested = connection.testedAt === null

  const save = async () => {
    const { data } = await run({ organizationId: organization.id, enforcement: chosen })
    if (data) onChanged()
  }

  return (
    <Stack>
      <Radio.Group
        label="Who signs in by single sign-on?"
        value={chosen}
        onChange={(value) => isChoice(value) && setChosen(value)}
      >
        <Stack gap="xs" mt="xs">
          {Object.entries(choices).map(([value, { label, about }]) => (
            <Radio
              key={value}
              value={value}
              label={label}
              description={about}
              disabled={value !== 'OFF' && isUntested}
            />
          ))}
        </Stack>
      </Radio.Group>
      {isUntested && (
        <Text size="sm" c="dimmed">
          Test the connection first.
        </Text>
      )}
      {problem && <ProblemNote problem={problem} />}
      <Group>
        <Button
          loading={isBusy}
          disabled={chosen === connection.enforcement}
          onClick={() => void save()}
        >
          Save
        </Button>
      </Group>
      {connection.enforcement !== 'OFF' && (
        <Stack gap={4}>
          <Text size="sm">A link for your intranet that leads straight in:</Text>
          <Command isPlain what="the link">
            {`${location.origin}/auth/sso/start?organization=${organization.slug}`}
          </Command>
        </Stack>
      )}
    </Stack>
  )
}
