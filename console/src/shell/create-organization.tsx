import { Button, Stack, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import type { FormEvent } from 'react'

import { CreateOrganizationDocument } from '../gql/graphql.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'
import { useReadMe } from './use-read-me.ts'

/** The form for another organization. It opens the new one's first steps. */
export function CreateOrganization({ onDone }: { onDone?: () => void }) {
  const { run, isBusy, problem } = useAction(CreateOrganizationDocument)
  const readMe = useReadMe()
  const navigate = useNavigate()

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const { data } = await run({ name: formText(event.currentTarget, 'name') })
    if (!data) return
    // The shell must know the new one before the address names it.
    await readMe()
    onDone?.()
    await navigate({ to: '/o/$slug/start', params: { slug: data.createOrganization.slug } })
  }

  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        {problem && <ProblemNote problem={problem} />}
        <TextInput
          label="Name of the organization"
          name="name"
          required
          maxLength={100}
          data-autofocus
        />
        <Button type="submit" loading={isBusy}>
          Create the organization
        </Button>
      </Stack>
    </form>
  )
}
