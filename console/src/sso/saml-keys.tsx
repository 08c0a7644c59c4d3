import { Button, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'

import { AddSamlKeyDocument, RemoveSamlKeyDocument } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Copy } from '../ui/copy.tsx'
import { saveText } from '../ui/download.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { dayOf } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'
import type { SsoConnection, StepProps } from './sso-page.tsx'

type Key = SsoConnection['samlKeys'][number]

/** Our keys: their certificates for the identity provider, and how one takes the place of the other. */
export function SamlKeys({ connection, onChanged }: StepProps) {
  const { organization } = usePlace()
  const [removing, setRemoving] = useState<Key | null>(null)
  const add = useAction(AddSamlKeyDocument)
  const remove = useAction(RemoveSamlKeyDocument)
  const { samlKeys: keys } = connection
  const isRotating = keys.length > 1

  const make = async () => {
    const { data } = await add.run({ organizationId: organization.id })
    if (data) onChanged()
  }

  return (
    <Stack gap="xs" role="group" aria-label="Our keys">
      <Text size="sm" c="dimmed" maw={720}>
        Our certificate is in our metadata as well. It checks the requests that we sign, and
        assertions may be encrypted for it.
      </Text>
      {keys.map((key) => (
        <Group gap="sm" key={key.id}>
          <Text size="sm" className="mono">
            {key.fingerprint.slice(0, 23)}…
          </Text>
          <Text size="sm" c="dimmed">
            {key.isSigning ? 'in use' : 'new, waits for the other one to be removed'}, until{' '}
            {dayOf(key.expiresAt)}
          </Text>
          <Copy value={key.certificate} what={`the certificate ${key.fingerprint.slice(0, 5)}`} />
          <Button
            variant="default"
            size="compact-sm"
            onClick={() => saveText(key.certificate, 'sluice-saml.pem')}
            aria-label={`Download the certificate ${key.fingerprint.slice(0, 5)}`}
          >
            Download
          </Button>
          {isRotating && (
            <Button
              variant="default"
              size="compact-sm"
              onClick={() => setRemoving(key)}
              aria-label={`Remove the key ${key.fingerprint.slice(0, 5)}`}
            >
              Remove
            </Button>
          )}
        </Group>
      ))}
      {add.problem && <ProblemNote problem={add.problem} />}
      {isRotating ? (
        <Text size="sm">
          Give the new certificate to your identity provider, then remove the old one.
        </Text>
      ) : (
        <Group>
          <Button
            variant="default"
            size="compact-sm"
            loading={add.isBusy}
            onClick={() => void make()}
          >
            Make a new key
          </Button>
        </Group>
      )}
      {removing && (
        <Confirm
          isOpen
          title="Remove this key?"
          effect={
            removing.isSigning
              ? 'The other key signs from now on. Sign-ins fail if your identity provider does not know it yet.'
              : 'The key in use stays. What was encrypted for this one is not opened any more.'
          }
          action="Remove the key"
          onClose={() => setRemoving(null)}
          onConfirm={async () => {
            const outcome = await remove.run({ organizationId: organization.id, id: removing.id })
            if (!outcome.problem) onChanged()
            return outcome.problem
          }}
        />
      )}
    </Stack>
  )
}
