import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useState, type FormEvent, type ReactNode } from 'react'

import type { Problem } from '../graph/problem.ts'
import { formText } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { ActsFor } from './acts-for.tsx'
import { TermsFields, termsOf } from './terms-fields.tsx'

/** What every form of a new credential says. */
interface Wanted extends ReturnType<typeof termsOf> {
  readonly name: string
  readonly serviceAccountId: string | null
}

interface Props {
  /** `authtoken` or `API key`. */
  readonly what: string
  readonly isOpen: boolean
  readonly isBusy: boolean
  readonly problem: Problem | null
  /** Whether the fields of its own say enough. */
  readonly isComplete: boolean
  readonly nameHint: string
  readonly actsFor: { readonly otherwise: string; readonly description: string }
  /** Fields of its own, between the name and the rest. */
  readonly children: ReactNode
  /** Answers the new secret, or null when there is a problem. */
  readonly onCreate: (wanted: Wanted) => Promise<string | null>
  readonly onClose: () => void
  /** How the new secret is shown, this once. */
  readonly show: (secret: string) => ReactNode
}

/** Asks for a new credential, and then shows its secret. */
export function CreateDialog(props: Props) {
  const { what, isOpen, isBusy, problem, isComplete, children, onCreate, onClose, show } = props
  const [secret, setSecret] = useState<string | null>(null)

  const close = () => {
    setSecret(null)
    onClose()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const serviceAccountId = formText(form, 'actsFor') || null
    setSecret(await onCreate({ name: formText(form, 'name'), serviceAccountId, ...termsOf(form) }))
  }

  return (
    <Modal
      opened={isOpen}
      onClose={close}
      // A click beside the dialog must not throw away what is shown only once.
      closeOnClickOutside={secret === null}
      size="lg"
      title={secret ? `Your ${what}` : `Create an ${what}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {secret ? (
        <Stack>
          {show(secret)}
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
              description={props.nameHint}
              required
              maxLength={100}
              data-autofocus
            />
            {children}
            <ActsFor {...props.actsFor} />
            <TermsFields />
            <Group justify="flex-end">
              <Button type="submit" loading={isBusy} disabled={!isComplete}>
                Create
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}
