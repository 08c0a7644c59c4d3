import { Button, Checkbox, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'

import { CreateAuditStreamDocument } from '../gql/graphql.ts'
import type { AuditStreamKind } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { ActionForm } from '../ui/action-form.tsx'
import { Command } from '../ui/copy.tsx'
import { formText, passwordOf } from '../ui/form-text.ts'
import { useAction } from '../ui/use-action.ts'

const kinds = [
  { value: 'WEBHOOK', label: 'Webhook' },
  { value: 'BUCKET', label: 'Bucket (S3 and compatible)' },
] as const satisfies readonly { value: AuditStreamKind; label: string }[]

interface Props {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onCreated: () => void
}

/** Asks where the audit is to go. The secret of a webhook is shown this once. */
export function CreateStream({ isOpen, onClose, onCreated }: Props) {
  const { organization } = usePlace()
  const action = useAction(CreateAuditStreamDocument)
  const [kind, setKind] = useState<AuditStreamKind>('WEBHOOK')
  const [secret, setSecret] = useState<string | null>(null)

  const close = () => {
    setSecret(null)
    setKind('WEBHOOK')
    action.reset()
    onClose()
  }
  const submit = async (form: HTMLFormElement) => {
    const isBucket = kind === 'BUCKET'
    const { data } = await action.run({
      organizationId: organization.id,
      name: formText(form, 'name'),
      kind,
      url: formText(form, 'url'),
      region: (isBucket && formText(form, 'region')) || null,
      accessKeyId: isBucket ? formText(form, 'accessKeyId') : null,
      secretAccessKey: isBucket ? passwordOf(form, 'secretAccessKey') : null,
      fromBeginning: new FormData(form).has('fromBeginning'),
    })
    if (!data) return
    onCreated()
    if (data.createAuditStream.secret) setSecret(data.createAuditStream.secret)
    else close()
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      // A click beside the dialog must not throw away what is shown only once.
      closeOnClickOutside={secret === null}
      size="lg"
      title={secret ? 'The secret of the webhook' : 'Send the audit elsewhere'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {secret ? (
        <Stack>
          <Text size="sm">
            Copy it now: it is shown this once. What arrives is signed with it, as Standard Webhooks
            has it.
          </Text>
          <Command isPlain what="the secret">
            {secret}
          </Command>
          <Group justify="flex-end">
            <Button onClick={close}>I have copied it</Button>
          </Group>
        </Stack>
      ) : (
        <ActionForm of={action} label="Create" onSubmit={submit}>
          <TextInput label="Name" name="name" required maxLength={100} data-autofocus />
          <Select
            label="Where to"
            data={kinds}
            value={kind}
            allowDeselect={false}
            onChange={(value) => setKind(value === 'BUCKET' ? 'BUCKET' : 'WEBHOOK')}
          />
          <TextInput
            label="URL"
            name="url"
            description={
              kind === 'BUCKET'
                ? 'https://endpoint/bucket, with a prefix behind it if you like'
                : 'Where entries are posted'
            }
            required
            maxLength={2048}
          />
          {kind === 'BUCKET' && (
            <>
              <TextInput label="Region" name="region" placeholder="us-east-1" maxLength={64} />
              <TextInput
                label="Access key id"
                name="accessKeyId"
                required
                maxLength={128}
                autoComplete="off"
              />
              <TextInput
                label="Secret access key"
                name="secretAccessKey"
                type="password"
                required
                maxLength={200}
                autoComplete="off"
              />
            </>
          )}
          <Checkbox name="fromBeginning" label="Also what was recorded before" />
        </ActionForm>
      )}
    </Modal>
  )
}
