import { Button, Group, Modal, Select, Stack, Text } from '@mantine/core'
import type { FormEvent } from 'react'

import type { CredentialTermsInput } from '../gql/graphql.ts'
import type { Problem } from '../graph/problem.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Ago } from '../ui/time.tsx'
import type { Credential } from './credential-table.tsx'
import { AllowedIpsField } from './terms-fields.tsx'
import { blocksOf, expiryOf, lifetimes } from './terms.ts'

interface Props {
  /** The one that is to be changed; null while the dialog is closed. */
  readonly row: Credential | null
  readonly isBusy: boolean
  readonly problem: Problem | null
  readonly onChange: (terms: CredentialTermsInput) => Promise<void>
  readonly onClose: () => void
}

const asItIs = 'as-it-is'
const choices = [{ value: asItIs, label: 'As it is' }, { value: '1', label: 'A day' }, ...lifetimes]

/** Changes until when and from where a credential is good. */
export function ChangeDialog({ row, isBusy, problem, onChange, onClose }: Props) {
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const lifetime = formText(form, 'lifetime')
    await onChange({
      allowedIps: blocksOf(formText(form, 'allowedIps')),
      ...(lifetime === asItIs ? {} : { expiresAt: expiryOf(lifetime, Date.now()) }),
    })
  }

  return (
    <Modal
      opened={row !== null}
      onClose={onClose}
      size="lg"
      title={`Change ${row?.name}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          {problem && <ProblemNote problem={problem} />}
          <Text size="sm">
            What it no longer allows ends within seconds. As it is,{' '}
            {row?.expiresAt ? (
              <>
                it ends <Ago at={row.expiresAt} />
              </>
            ) : (
              'it is good until it is revoked'
            )}
            .
          </Text>
          <Select
            label="Good for, from now on"
            name="lifetime"
            data={choices}
            defaultValue={asItIs}
            allowDeselect={false}
            data-autofocus
          />
          <AllowedIpsField defaultValue={row?.allowedIps.join('\n') ?? ''} />
          <Group justify="flex-end">
            <Button type="submit" loading={isBusy}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
