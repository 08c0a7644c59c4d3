import { Button, Group, Radio, Stack } from '@mantine/core'
import { useState } from 'react'

import { CreateSsoConnectionDocument, RemoveSsoConnectionDocument } from '../gql/graphql.ts'
import type { SsoKind } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { Confirm } from '../ui/confirm.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import type { SsoConnection } from './sso-page.tsx'

interface Props {
  readonly connection: SsoConnection | null
  readonly onChanged: () => void
}

/** Which protocol the identity provider speaks. */
export function Protocol({ connection, onChanged }: Props) {
  const { organization } = usePlace()
  const [kind, setKind] = useState<SsoKind>(connection?.kind ?? 'OIDC')
  const [isRemoving, setRemoving] = useState(false)
  const create = useAction(CreateSsoConnectionDocument)
  const remove = useAction(RemoveSsoConnectionDocument)
  const isOther = connection?.kind !== kind

  const choose = async () => {
    const { data } = await create.run({ organizationId: organization.id, kind })
    if (data) onChanged()
  }

  return (
    <Stack>
      {create.problem && <ProblemNote problem={create.problem} />}
      <Radio.Group
        label="What does your identity provider speak?"
        value={kind}
        onChange={(value) => setKind(value === 'SAML' ? 'SAML' : 'OIDC')}
      >
        <Stack gap="xs" mt="xs">
          <Radio
            value="OIDC"
            label="OpenID Connect"
            description="Okta, Entra ID, Google, Auth0, Keycloak: the simpler choice where there is one."
          />
          <Radio value="SAML" label="SAML 2.0" description="Where OpenID Connect is not offered." />
        </Stack>
      </Radio.Group>
      <Group gap="sm">
        {isOther && (
          <Button onClick={() => void choose()} loading={create.isBusy}>
            {connection ? 'Start anew with this' : 'Continue'}
          </Button>
        )}
        {connection && (
          <Button variant="default" onClick={() => setRemoving(true)}>
            Remove single sign-on
          </Button>
        )}
      </Group>
      <Confirm
        isOpen={isRemoving}
        title="Remove single sign-on?"
        effect="Sign-ins that came by it end now. Members stay, and sign in with accounts of their own."
        action="Remove single sign-on"
        onClose={() => setRemoving(false)}
        onConfirm={async () => {
          const outcome = await remove.run({ organizationId: organization.id })
          if (!outcome.problem) onChanged()
          return outcome.problem
        }}
      />
    </Stack>
  )
}
