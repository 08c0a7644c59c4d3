import { Button, Checkbox, Group, Modal, NumberInput, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { useQuery } from 'urql'

import { ActsFor } from '../credentials/acts-for.tsx'
import { TermsFields, termsOf } from '../credentials/terms-fields.tsx'
import { CreateApiKeyDocument, PermissionChoicesDocument } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import { ShownApiKey } from './shown-api-key.tsx'

interface Props {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onCreated: () => void
}

export function CreateApiKeyDialog({ isOpen, onClose, onCreated }: Props) {
  const { organization } = usePlace()
  const { run, isBusy, problem, reset } = useAction(CreateApiKeyDocument)
  const [secret, setSecret] = useState<string | null>(null)
  const [chosen, setChosen] = useState<string[]>([])
  const [requests, setRequests] = useState<number | string>('')

  const close = () => {
    setSecret(null)
    setChosen([])
    setRequests('')
    reset()
    onClose()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const { data } = await run({
      input: {
        organizationId: organization.id,
        name: formText(form, 'name'),
        permissions: chosen,
        requestsPerMinute: requests === '' ? null : Number(requests),
        serviceAccountId: formText(form, 'actsFor') || null,
        ...termsOf(form),
      },
    })
    if (!data) return
    setSecret(data.createApiKey.secret)
    onCreated()
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      // A click beside the dialog must not throw away what is shown only once.
      closeOnClickOutside={secret === null}
      size="lg"
      title={secret ? 'Your API key' : 'Create an API key'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {secret ? (
        <Stack>
          <ShownApiKey secret={secret} />
          <Group justify="flex-end">
            <Button onClick={close}>I have copied it</Button>
          </Group>
        </Stack>
      ) : (
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            {problem && <ProblemNote problem={problem} />}
            <TextInput
              label="Name"
              name="name"
              description="Who uses it: a partner, a dashboard, a script."
              required
              maxLength={100}
              data-autofocus
            />
            <Permissions chosen={chosen} onChange={setChosen} />
            <ActsFor
              otherwise="The organization"
              description="One of a service account may do no more than that, and ends with it."
            />
            <TermsFields />
            <NumberInput
              label="Requests a minute"
              description="Empty means as many as any key has."
              min={1}
              max={60_000}
              allowDecimal={false}
              value={requests}
              onChange={setRequests}
            />
            <Group justify="flex-end">
              <Button type="submit" loading={isBusy} disabled={chosen.length === 0}>
                Create
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}

interface PermissionsProps {
  readonly chosen: string[]
  readonly onChange: (names: string[]) => void
}

/** Only what one may do oneself can be given. */
function Permissions({ chosen, onChange }: PermissionsProps) {
  const { organization } = usePlace()
  const [{ data }] = useQuery({ query: PermissionChoicesDocument })
  const held = data?.permissions.filter(({ name }) => organization.viewerPermissions.includes(name))
  return (
    <Checkbox.Group label="It may" value={chosen} onChange={onChange}>
      <Stack gap="xs" mt="xs" mah={260} className="scroll" tabIndex={0}>
        {held?.map(({ name, description }) => (
          <Checkbox key={name} value={name} label={description} description={name} />
        ))}
      </Stack>
    </Checkbox.Group>
  )
}
