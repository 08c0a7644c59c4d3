import { Anchor, Button, Code, Group, Stack, Text, Title } from '@mantine/core'
import { IconCheck } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { ReactNode } from 'react'
import { useQuery } from 'urql'

import { CreatedAuthtoken } from '../authtokens/created-authtoken.tsx'
import {
  AuthtokensDocument,
  CreateAuthtokenDocument,
  GetStartedDocument,
  RequestCapturedDocument,
} from '../gql/graphql.ts'
import type { GetStartedQuery } from '../gql/graphql.ts'
import { loadedOf, problemOfParts } from '../graph/loaded.ts'
import { useStream } from '../live/use-stream.ts'
import { useMay, usePlace } from '../shell/organization.ts'
import { useStatusNews } from '../tunnels/tunnel-statuses-context.ts'
import { CliNote } from '../ui/cli-program.tsx'
import { Command } from '../ui/copy.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import type { StepState } from './progress.ts'
import { firstVisit, progressOf } from './progress.ts'

type Organization = NonNullable<GetStartedQuery['organization']>
type FirstRequest = NonNullable<Organization['requests']>['nodes'][number]

export function GetStartedPage() {
  const { organization } = usePlace()
  const mayInvite = useMay('members.manage')
  const mayAddDomains = useMay('domains.manage')
  const variables = { organizationId: organization.id }
  const [answer, execute] = useQuery({ query: GetStartedDocument, variables })
  const [authtokens, executeAuthtokens] = useQuery({ query: AuthtokensDocument, variables })
  const refetch = () => {
    execute({ requestPolicy: 'network-only' })
    executeAuthtokens({ requestPolicy: 'network-only' })
  }
  const [secret, setSecret] = useState<string | null>(null)
  const [live, setLive] = useState<Omit<FirstRequest, '__typename'> | null>(null)

  useStatusNews(refetch)
  useStream({
    document: RequestCapturedDocument,
    key: organization.id,
    variables: () => variables,
    onEvent: ({ requestCaptured: { request: seen } }) => {
      if (firstVisit([seen])) setLive(seen)
    },
    onRestart: refetch,
  })

  const { data, error, fetching } = answer
  const loaded = loadedOf(
    { data, error, fetching },
    { path: 'organization', pick: (all) => all.organization },
  )
  const tunnels = data?.organization?.tunnels?.nodes ?? []
  const tunnel = tunnels.find(({ status }) => status === 'ONLINE') ?? tunnels[0] ?? null
  const request = live ?? firstVisit(data?.organization?.requests?.nodes ?? [])
  const progress = progressOf({
    hasAuthtoken:
      secret !== null ||
      (authtokens.data?.organization?.authtokens.nodes ?? []).some(({ revokedAt }) => !revokedAt),
    hasOnlineTunnel: tunnel?.status === 'ONLINE',
    hasRequest: request !== null,
  })
  const partProblem = problemOfParts(error, ['organization.tunnels', 'organization.requests'])

  return (
    <Page
      title={progress.isComplete ? 'You are set up' : 'Get started'}
      about={
        progress.isComplete
          ? 'Your service has a public address, and its requests show under Requests.'
          : 'Three steps to your first request. Each completes itself when it is seen.'
      }
    >
      <Panel of={loaded} isFlush onRetry={refetch} skeletonRows={8}>
        {() => (
          <>
            {partProblem && (
              <div className="panel-body">
                <ProblemNote problem={partProblem} onRetry={refetch} />
              </div>
            )}
            <Step state={progress.authtoken} number={1} title="Create an authtoken">
              <AuthtokenStep secret={secret} state={progress.authtoken} onCreated={setSecret} />
            </Step>
            <Step state={progress.tunnel} number={2} title="Open a tunnel">
              <TunnelStep hasSecret={secret !== null} tunnel={tunnel} state={progress.tunnel} />
            </Step>
            <Step state={progress.request} number={3} title="See the first request">
              <RequestStep tunnel={tunnel} request={request} slug={organization.slug} />
            </Step>
          </>
        )}
      </Panel>
      {progress.isComplete && (
        <Group mt="lg">
          <Button
            renderRoot={(props) => (
              <Link to="/o/$slug/requests" params={{ slug: organization.slug }} {...props} />
            )}
          >
            Watch requests live
          </Button>
          {mayInvite && (
            <Button
              variant="default"
              renderRoot={(props) => (
                <Link to="/o/$slug/members" params={{ slug: organization.slug }} {...props} />
              )}
            >
              Add a member
            </Button>
          )}
          {mayAddDomains && (
            <Button
              variant="default"
              renderRoot={(props) => (
                <Link to="/o/$slug/domains" params={{ slug: organization.slug }} {...props} />
              )}
            >
              Use your own domain
            </Button>
          )}
        </Group>
      )}
    </Page>
  )
}

interface StepProps {
  readonly state: StepState
  readonly number: number
  readonly title: string
  readonly children: ReactNode
}

const stateWords = { done: 'Done', now: 'Now', next: 'Later' } as const satisfies Record<
  StepState,
  string
>

function Step({ state, number, title, children }: StepProps) {
  return (
    <section className="step" data-state={state} aria-label={`${title}: ${stateWords[state]}`}>
      <span className="step-mark" aria-hidden="true">
        {state === 'done' ? <IconCheck size={16} stroke={2.5} /> : number}
      </span>
      <Stack gap="sm">
        <Title order={2}>{title}</Title>
        {children}
      </Stack>
    </section>
  )
}

interface AuthtokenStepProps {
  readonly secret: string | null
  readonly state: StepState
  readonly onCreated: (secret: string) => void
}

function AuthtokenStep({ secret, state, onCreated }: AuthtokenStepProps) {
  const { organization } = usePlace()
  const mayCreate = useMay('authtokens.create')
  const { run, isBusy, problem } = useAction(CreateAuthtokenDocument)
  const create = async () => {
    const { data } = await run({ organizationId: organization.id, name: 'First authtoken' })
    if (data) onCreated(data.createAuthtoken.secret)
  }

  if (secret) return <CreatedAuthtoken secret={secret} />
  if (!mayCreate) {
    return (
      <Text size="sm" c="dimmed">
        {state === 'done'
          ? `${organization.name} has one.`
          : `Your role cannot create one. Ask an admin of ${organization.name} for another.`}
      </Text>
    )
  }
  return (
    <>
      {problem && <ProblemNote problem={problem} />}
      <Text size="sm" c="dimmed">
        {state === 'done'
          ? 'You have one. It was shown once; if it is lost, create another.'
          : 'It lets the CLI on your machine open tunnels for this organization.'}
      </Text>
      <Group>
        <Button
          variant={state === 'done' ? 'default' : 'filled'}
          loading={isBusy}
          onClick={() => void create()}
        >
          {state === 'done' ? 'Create another authtoken' : 'Create an authtoken'}
        </Button>
      </Group>
    </>
  )
}

interface TunnelStepProps {
  /** The line that logs in is shown one step above. */
  readonly hasSecret: boolean
  readonly tunnel: NonNullable<Organization['tunnels']>['nodes'][number] | null
  readonly state: StepState
}

function TunnelStep({ hasSecret, tunnel, state }: TunnelStepProps) {
  if (state === 'done' && tunnel) {
    return (
      <Text size="sm">
        <b>{tunnel.name}</b> {tunnel.status === 'ONLINE' ? 'is online at' : 'was online at'}{' '}
        <Anchor
          href={tunnel.urls[0] ?? ''}
          target="_blank"
          rel="noreferrer"
          size="sm"
          underline="always"
        >
          {tunnel.urls[0]}
        </Anchor>
      </Text>
    )
  }
  return (
    <>
      <Text size="sm" c="dimmed">
        With a service on port 3000 of your machine; if there is none yet,{' '}
        <Code>npx http-server -p 3000</Code> serves a folder:
      </Text>
      {!hasSecret && <Command>{`sluice login --server ${location.origin}`}</Command>}
      <Command>sluice http 3000</Command>
      {!hasSecret && <CliNote />}
      {state === 'now' && <Waiting>Waiting for the tunnel to come online…</Waiting>}
    </>
  )
}

const pathCharactersMax = 80

function shortPathOf(path: string): string {
  return path.length > pathCharactersMax ? `${path.slice(0, pathCharactersMax)}…` : path
}

interface RequestStepProps {
  readonly tunnel: TunnelStepProps['tunnel']
  readonly request: Omit<FirstRequest, '__typename'> | null
  readonly slug: string
}

function RequestStep({ tunnel, request, slug }: RequestStepProps) {
  if (request) {
    return (
      <Text size="sm">
        <Anchor
          size="sm"
          className="mono"
          underline="always"
          title={request.path}
          renderRoot={(props) => (
            <Link
              to="/o/$slug/requests"
              params={{ slug }}
              search={{ request: request.id }}
              {...props}
            />
          )}
        >
          {request.method} {shortPathOf(request.path)}
        </Anchor>{' '}
        was answered with {request.status}.
      </Text>
    )
  }
  const [url] = tunnel?.urls ?? []
  if (!url) {
    return (
      <Text size="sm" c="dimmed">
        Once the tunnel is open, its address stands here.
      </Text>
    )
  }
  return (
    <>
      <Text size="sm" c="dimmed">
        Visit the address of the tunnel, in a browser or here:
      </Text>
      <Command>{`curl ${url}/`}</Command>
      {tunnel?.status === 'ONLINE' && <Waiting>Waiting for the first request…</Waiting>}
    </>
  )
}

function Waiting({ children }: { children: string }) {
  return (
    <Text size="sm" role="status" className="state tone-notice">
      {children}
    </Text>
  )
}
