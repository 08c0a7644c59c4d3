import { Button, Group, Stack } from '@mantine/core'
import type { ReactNode } from 'react'

import type { Problem } from '../graph/problem.ts'
import { ProblemNote } from './problem-note.tsx'

interface Props {
  /** What the form runs, as `useAction` has it. */
  readonly of: { readonly isBusy: boolean; readonly problem: Problem | null }
  /** What its button says. */
  readonly label: string
  readonly onSubmit: (form: HTMLFormElement) => Promise<void>
  readonly children: ReactNode
}

/** The form of a dialog: what went wrong, the fields, and the one button that does it. */
export function ActionForm({ of: { isBusy, problem }, label, onSubmit, children }: Props) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void onSubmit(event.currentTarget)
      }}
    >
      <Stack>
        {problem && <ProblemNote problem={problem} />}
        {children}
        <Group justify="flex-end">
          <Button type="submit" loading={isBusy}>
            {label}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
