import {
  Button,
  Checkbox,
  FileInput,
  Group,
  PasswordInput,
  Stack,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core'
import { useState } from 'react'
import type { FormEvent } from 'react'

import { ConfigureOidcDocument, ConfigureSamlDocument } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { dayOf } from '../ui/time.tsx'
import { useAction } from '../ui/use-action.ts'
import type { StepProps } from './sso-page.tsx'

/** What the identity provider says of itself. It is asked before anything is kept. */
export function ProviderForm(props: StepProps) {
  return props.connection.kind === 'OIDC' ? <OidcForm {...props} /> : <SamlForm {...props} />
}

function OidcForm({ connection, onChanged }: StepProps) {
  const { organization } = usePlace()
  const { run, isBusy, problem } = useAction(ConfigureOidcDocument)
  const isNamed = connection.issuer !== null

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const secret = form.elements.namedItem('clientSecret')
    const clientSecret = secret instanceof HTMLInputElement ? secret.value.trim() : ''
    const { data } = await run({
      input: {
        organizationId: organization.id,
        issuer: formText(form, 'issuer'),
        clientId: formText(form, 'clientId'),
        clientSecret: clientSecret || null,
      },
    })
    if (data) onChanged()
  }

  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack maw={560}>
        <Text size="sm">Then copy from there:</Text>
        <TextInput
          label="Issuer"
          name="issuer"
          description="Where /.well-known/openid-configuration is found."
          placeholder="https://login.example.com"
          defaultValue={connection.issuer ?? ''}
          required
          maxLength={2_048}
        />
        <TextInput
          label="Client id"
          name="clientId"
          defaultValue={connection.clientId ?? ''}
          required
          maxLength={500}
          autoComplete="off"
        />
        <PasswordInput
          label="Client secret"
          name="clientSecret"
          description={isNamed ? 'Leave it empty to keep the present one.' : undefined}
          required={!isNamed}
          maxLength={500}
          autoComplete="off"
        />
        {problem && <ProblemNote problem={problem} />}
        <Group>
          <Button type="submit" loading={isBusy}>
            Check and save
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function SamlForm({ connection, onChanged }: StepProps) {
  const { organization } = usePlace()
  const { run, isBusy, problem } = useAction(ConfigureSamlDocument)
  const [metadata, setMetadata] = useState('')
  const [signs, setSigns] = useState(connection.signsRequests)

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const { data } = await run({
      input: {
        organizationId: organization.id,
        metadataUrl: formText(event.currentTarget, 'metadataUrl') || null,
        metadata: metadata.trim() || null,
        signsRequests: signs,
      },
    })
    if (!data) return
    setMetadata('')
    onChanged()
  }

  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack maw={560}>
        <Text size="sm">
          Then give the metadata of the identity provider, in one of three ways:
        </Text>
        <TextInput
          label="Address of its metadata"
          name="metadataUrl"
          description="The best way: new certificates are found by themselves."
          placeholder="https://login.example.com/metadata.xml"
          defaultValue={connection.metadataUrl ?? ''}
          maxLength={2_048}
        />
        <FileInput
          label="Or its file"
          accept=".xml,application/xml,text/xml,application/samlmetadata+xml"
          placeholder="metadata.xml"
          styles={{ placeholder: { color: 'var(--mantine-color-dimmed)' } }}
          clearable
          onChange={(file) => void file?.text().then(setMetadata)}
        />
        <Textarea
          label="Or its text"
          value={metadata}
          onChange={(event) => setMetadata(event.currentTarget.value)}
          autosize
          minRows={2}
          maxRows={6}
          className="mono"
        />
        <Checkbox
          label="Sign our requests"
          description={
            connection.wantsSignedRequests
              ? 'The metadata asks for it: they are signed.'
              : 'Where the identity provider checks them by our certificate.'
          }
          checked={signs || connection.wantsSignedRequests}
          disabled={connection.wantsSignedRequests}
          onChange={(event) => setSigns(event.currentTarget.checked)}
        />
        {problem && <ProblemNote problem={problem} />}
        <Group>
          <Button type="submit" loading={isBusy}>
            Check and save
          </Button>
        </Group>
        {connection.issuer !== null && <Known connection={connection} />}
      </Stack>
    </form>
  )
}

function Known({ connection }: Pick<StepProps, 'connection'>) {
  const { issuer, signInUrl, certificates } = connection
  return (
    <dl className="facts">
      <dt>Entity id</dt>
      <dd className="mono">{issuer}</dd>
      <dt>Signs in at</dt>
      <dd className="mono">{signInUrl}</dd>
      <dt>Certificates</dt>
      <dd>
        {certificates.map(({ fingerprint, expiresAt }) => (
          <div key={fingerprint}>
            <span className="mono">{fingerprint.slice(0, 23)}…</span> until {dayOf(expiresAt)}
          </div>
        ))}
      </dd>
    </dl>
  )
}
