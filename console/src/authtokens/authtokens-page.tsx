import { Checkbox, Stack, Text } from '@mantine/core'
import { useState } from 'react'

import { CreateDialog } from '../credentials/create-dialog.tsx'
import { CredentialsPage } from '../credentials/credentials-page.tsx'
import {
  AuthtokensDocument,
  ChangeAuthtokenDocument,
  CreateAuthtokenDocument,
  RevokeAuthtokenDocument,
  RotateAuthtokenDocument,
} from '../gql/graphql.ts'
import type { AuthtokensQuery, RotateAuthtokenMutation } from '../gql/graphql.ts'
import { usePages } from '../graph/use-pages.ts'
import { useMay, usePlace } from '../shell/organization.ts'
import { Command } from '../ui/copy.tsx'
import { useAction } from '../ui/use-action.ts'
import { CreatedAuthtoken } from './created-authtoken.tsx'
import { allScopes, isScope, scopes } from './scopes.ts'

const authtokensOf = (data: AuthtokensQuery) => data.organization?.authtokens
type Authtoken = NonNullable<ReturnType<typeof authtokensOf>>['nodes'][number]

const mutations = {
  rotate: RotateAuthtokenDocument,
  secretOf: ({ rotateAuthtoken }: RotateAuthtokenMutation) => rotateAuthtoken.secret,
  change: ChangeAuthtokenDocument,
  revoke: RevokeAuthtokenDocument,
}
const show = (secret: string) => <CreatedAuthtoken secret={secret} />

export function AuthtokensPage() {
  const { organization } = usePlace()
  const mayCreate = useMay('authtokens.create')
  const pages = usePages({
    document: AuthtokensDocument,
    variables: { organizationId: organization.id },
    pick: authtokensOf,
  })
  return (
    <CredentialsPage
      title="Authtokens"
      about="An authtoken lets the CLI and agents act for your organization. Give each machine its own, so that one can be revoked alone."
      what={['authtoken', 'authtokens']}
      pages={pages}
      path="organization.authtokens"
      mayChange={mayCreate}
      mutations={mutations}
      scope={{ heading: 'Scopes', of: scopesOf }}
      emptyHint={
        <>
          <Text size="sm" c="dimmed">
            Create one here, then log the CLI in; it asks for the authtoken:
          </Text>
          <Command>{`sluice login --server ${location.origin}`}</Command>
        </>
      }
      revokeEffect="Agents that use it are disconnected within seconds, and their tunnels go offline. It cannot be taken back."
      show={show}
      createDialog={(dialog) => <CreateAuthtokenDialog {...dialog} />}
    />
  )
}

const scopesOf = ({ scopes: given }: Authtoken) =>
  given.length === allScopes.length ? 'All' : given.map((scope) => scopes[scope].label).join(', ')

interface DialogProps {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onCreated: () => void
}

function CreateAuthtokenDialog({ isOpen, onClose, onCreated }: DialogProps) {
  const { organization } = usePlace()
  const { run, isBusy, problem, reset } = useAction(CreateAuthtokenDocument)
  const [chosen, setChosen] = useState<string[]>([...allScopes])
  return (
    <CreateDialog
      what="authtoken"
      isOpen={isOpen}
      isBusy={isBusy}
      problem={problem}
      isComplete={chosen.length > 0}
      nameHint="Where it is used: laptop, build server, staging."
      actsFor={{
        otherwise: 'Me',
        description: 'One that acts for you ends when you leave the organization.',
      }}
      onCreate={async (wanted) => {
        const scoped = { organizationId: organization.id, scopes: chosen.filter(isScope) }
        const { data } = await run({ ...scoped, ...wanted })
        if (data) onCreated()
        return data?.createAuthtoken.secret ?? null
      }}
      onClose={() => {
        setChosen([...allScopes])
        reset()
        onClose()
      }}
      show={show}
    >
      <Checkbox.Group label="Scopes" value={chosen} onChange={setChosen}>
        <Stack gap="xs" mt="xs">
          {allScopes.map((scope) => (
            <Checkbox
              key={scope}
              value={scope}
              label={scopes[scope].label}
              description={scopes[scope].may}
            />
          ))}
        </Stack>
      </Checkbox.Group>
    </CreateDialog>
  )
}
