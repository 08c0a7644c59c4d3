import { Checkbox, NumberInput, Stack } from '@mantine/core'
import { useState } from 'react'
import { useQuery } from 'urql'

import { CreateDialog } from '../credentials/create-dialog.tsx'
import { CreateApiKeyDocument, PermissionChoicesDocument } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
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
  const [chosen, setChosen] = useState<string[]>([])
  const [requests, setRequests] = useState<number | string>('')
  return (
    <CreateDialog
      what="API key"
      isOpen={isOpen}
      isBusy={isBusy}
      problem={problem}
      isComplete={chosen.length > 0}
      nameHint="Who uses it: a partner, a dashboard, a script."
      actsFor={{
        otherwise: 'The organization',
        description: 'One of a service account may do no more than that, and ends with it.',
      }}
      onCreate={async (wanted) => {
        const { data } = await run({
          input: {
            organizationId: organization.id,
            permissions: chosen,
            requestsPerMinute: requests === '' ? null : Number(requests),
            ...wanted,
          },
        })
        if (data) onCreated()
        return data?.createApiKey.secret ?? null
      }}
      onClose={() => {
        setChosen([])
        setRequests('')
        reset()
        onClose()
      }}
      show={(secret) => <ShownApiKey secret={secret} />}
    >
      <Permissions chosen={chosen} onChange={setChosen} />
      <NumberInput
        label="Requests a minute"
        description="Empty means as many as any key has."
        min={1}
        max={60_000}
        allowDecimal={false}
        value={requests}
        onChange={setRequests}
      />
    </CreateDialog>
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
