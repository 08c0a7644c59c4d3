import { Button, Group, Stack, Text } from '@mantine/core'

import { StartSsoTestDocument } from '../gql/graphql.ts'
import { roles, usePlace } from '../shell/organization.ts'
import { leaveFor } from '../sign-in/providers.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import { StateWord } from '../ui/tone.tsx'
import { useAction } from '../ui/use-action.ts'
import type { StepProps } from './sso-page.tsx'

/** Signs in at the identity provider for once, and shows what it tells. */
export function TestConnection({ connection }: Pick<StepProps, 'connection'>) {
  const { organization } = usePlace()
  const { run, isBusy, problem } = useAction(StartSsoTestDocument)
  const { lastTest, testedAt } = connection

  const start = async () => {
    const returnTo = `/o/${organization.slug}/sso`
    const { data } = await run({ organizationId: organization.id, returnTo })
    if (data) leaveFor(data.startSsoTest)
  }

  return (
    <Stack>
      <Text size="sm" c="dimmed" maw={720}>
        Takes you to your identity provider and back. Nobody is signed in by it, and nothing changes
        for others.
      </Text>
      {problem && <ProblemNote problem={problem} />}
      <Group gap="sm">
        <Button
          variant={testedAt ? 'default' : 'filled'}
          loading={isBusy}
          onClick={() => void start()}
        >
          Test the connection
        </Button>
        {testedAt ? (
          <StateWord tone="good">Passed</StateWord>
        ) : (
          lastTest && <StateWord tone="bad">Failed</StateWord>
        )}
        {lastTest && (
          <Text size="sm" c="dimmed">
            <Ago at={lastTest.at} />
          </Text>
        )}
      </Group>
      {lastTest?.problem && (
        <Text size="sm" className="tone-bad">
          It did not work: {lastTest.problem}.
        </Text>
      )}
      {lastTest && lastTest.email !== null && !lastTest.isDomainVerified && (
        <Text size="sm" className="tone-warn">
          The domain of {lastTest.email} is not verified above: nobody new comes in with such an
          address.
        </Text>
      )}
      {lastTest?.subject && (
        <dl className="facts">
          <dt>Would enter as</dt>
          <dd>
            {lastTest.customRole?.name ?? roles[lastTest.role].label}
            <Text span size="sm" c="dimmed">
              {lastTest.decidedBy === null
                ? ', the role of newcomers: no rule fits'
                : `, by the rule for “${lastTest.decidedBy}”`}
            </Text>
          </dd>
          <dt>Subject</dt>
          <dd className="mono">{lastTest.subject}</dd>
          <dt>Email</dt>
          <dd>{lastTest.email ?? 'none'}</dd>
          <dt>Name</dt>
          <dd>{lastTest.name ?? 'none'}</dd>
          {lastTest.attributes.map(({ name, values }) => (
            <Told key={name} name={name} values={values} />
          ))}
        </dl>
      )}
    </Stack>
  )
}

function Told({ name, values }: { name: string; values: readonly string[] }) {
  return (
    <>
      <dt className="mono">{name}</dt>
      <dd>{values.join(', ')}</dd>
    </>
  )
}
