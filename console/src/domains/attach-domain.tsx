import { Button, Group, Select, Stack } from '@mantine/core'
import { useState } from 'react'
import { useQuery } from 'urql'

import { AttachCustomDomainDocument, TunnelChoicesDocument } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import { usePlace } from '../shell/organization.ts'
import { Command } from '../ui/copy.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'

interface Props {
  readonly domainId: string
  readonly domain: string
  readonly onAttached: () => void
}

/** Chooses the tunnel that a verified domain leads to. */
export function AttachDomain({ domainId, domain, onAttached }: Props) {
  const { organization } = usePlace()
  const [tunnelId, setTunnelId] = useState<string | null>(null)
  const [{ data, error, fetching }] = useQuery({
    query: TunnelChoicesDocument,
    variables: { organizationId: organization.id },
  })
  const { run, isBusy, problem } = useAction(AttachCustomDomainDocument)
  const tunnels = loadedOf(
    { data, error, fetching },
    {
      path: 'organization.tunnels',
      pick: (all) => all.organization?.tunnels?.nodes,
      isEmpty: (all) => all.length === 0,
    },
  )

  const attach = async () => {
    if (!tunnelId) return
    const outcome = await run({ id: domainId, tunnelId })
    if (outcome.data) onAttached()
  }

  if (tunnels.kind === 'failed') return <ProblemNote problem={tunnels.problem} />
  if (tunnels.kind === 'loading') return '…'
  if (tunnels.kind === 'empty') return <Command>sluice http 3000</Command>
  return (
    <Stack gap="xs">
      {problem && <ProblemNote problem={problem} />}
      <Group gap="sm">
        <Select
          aria-label={`Tunnel for ${domain}`}
          placeholder="Choose a tunnel"
          size="xs"
          searchable
          data={tunnels.value.map(({ id, name }) => ({ value: id, label: name }))}
          value={tunnelId}
          onChange={setTunnelId}
        />
        <Button size="xs" loading={isBusy} disabled={!tunnelId} onClick={() => void attach()}>
          Attach
        </Button>
      </Group>
    </Stack>
  )
}
