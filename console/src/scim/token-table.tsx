import { Badge, Button, Group, Table } from '@mantine/core'
import { useState } from 'react'

import { LastUsed } from '../credentials/cells.tsx'
import { RotateDialog } from '../credentials/rotate-dialog.tsx'
import { stateOf } from '../credentials/terms.ts'
import { RevokeScimTokenDocument, RotateScimTokenDocument } from '../gql/graphql.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Ago } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'
import type { ScimToken } from './scim-page.tsx'
import { ShownToken } from './shown-token.tsx'

interface Props {
  readonly tokens: readonly ScimToken[]
  readonly onChanged: () => void
}

const secondsPerHour = 3_600

export function TokenTable({ tokens, onChanged }: Props) {
  const [rotating, setRotating] = useState<ScimToken | null>(null)
  const [revoking, setRevoking] = useState<ScimToken | null>(null)
  const rotate = useAction(RotateScimTokenDocument)
  const revoke = useAction(RevokeScimTokenDocument)

  return (
    <>
      <div className="scroll">
        <Table aria-label="SCIM tokens" miw={720}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Begins with</Table.Th>
              <Table.Th>Created</Table.Th>
              <Table.Th>Last used</Table.Th>
              <Table.Th>
                <span className="visually-hidden">Actions</span>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {tokens.map((token) => (
              <Table.Tr key={token.id}>
                <Table.Td fw={600}>{token.name}</Table.Td>
                <Table.Td className="mono">{token.prefix}…</Table.Td>
                <Table.Td>
                  <Ago at={token.createdAt} />
                  {token.createdBy && ` by ${token.createdBy.name}`}
                </Table.Td>
                <Table.Td>
                  <LastUsed {...token} />
                </Table.Td>
                <Table.Td ta="right">
                  <Actions token={token} onRotate={setRotating} onRevoke={setRevoking} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <RotateDialog
        name={rotating?.name ?? null}
        what="SCIM token"
        isBusy={rotate.isBusy}
        problem={rotate.problem}
        onClose={() => setRotating(null)}
        onRotate={async (overlapSeconds) => {
          if (!rotating) return null
          const overlapHours = overlapSeconds / secondsPerHour
          const { data } = await rotate.run({ input: { id: rotating.id, overlapHours } })
          if (data) onChanged()
          return data?.rotateScimToken.secret ?? null
        }}
        show={(secret) => <ShownToken secret={secret} />}
      />
      <Confirm
        isOpen={revoking !== null}
        title={`Revoke ${revoking?.name}?`}
        effect="The identity provider is refused from now on. People and groups stay as they are. It cannot be taken back."
        action="Revoke the token"
        onClose={() => setRevoking(null)}
        onConfirm={async () => {
          if (!revoking) return null
          const { problem } = await revoke.run({ id: revoking.id })
          if (!problem) onChanged()
          return problem
        }}
      />
    </>
  )
}

interface ActionsProps {
  readonly token: ScimToken
  readonly onRotate: (token: ScimToken) => void
  readonly onRevoke: (token: ScimToken) => void
}

function Actions({ token, onRotate, onRevoke }: ActionsProps) {
  const { name, expiresAt, revokedAt } = token
  const state = stateOf({ expiresAt, revokedAt }, Date.now())
  if (state === 'revoked') return <Badge data-quiet>Revoked</Badge>
  if (state === 'expired') return <Badge data-quiet>Replaced</Badge>
  return (
    <Group gap="xs" justify="flex-end" wrap="nowrap">
      {expiresAt ? (
        <Badge color="yellow" variant="light">
          Ends <Ago at={expiresAt} />
        </Badge>
      ) : (
        <Button
          variant="default"
          size="xs"
          onClick={() => onRotate(token)}
          aria-label={`Rotate ${name}`}
        >
          Rotate
        </Button>
      )}
      <Button
        variant="default"
        size="xs"
        onClick={() => onRevoke(token)}
        aria-label={`Revoke ${name}`}
      >
        Revoke
      </Button>
    </Group>
  )
}
