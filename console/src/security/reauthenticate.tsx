import { Button, Divider, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core'
import { useCallback, useRef, useState } from 'react'
import type { FormEvent, ReactNode } from 'react'
import { useClient } from 'urql'

import { ReauthenticateDocument, WaysToProveDocument } from '../gql/graphql.ts'
import type { WaysToProveQuery } from '../gql/graphql.ts'
import type { Problem } from '../graph/problem.ts'
import { problemAt, unreachable } from '../graph/problem.ts'
import { CodeInput } from '../ui/code-input.tsx'
import { formText, passwordOf } from '../ui/form-text.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { ProofContext } from '../ui/proof-context.ts'
import { OtherProofs } from './other-proofs.tsx'

/** Lets every action below ask who it is again, and go on when it was them. */
export function Reauthenticate({ children }: { children: ReactNode }) {
  const client = useClient()
  const [isOpen, setOpen] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const [isCodeNeeded, setCodeNeeded] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [ways, setWays] = useState<WaysToProveQuery | null>(null)
  const waiting = useRef<((proved: boolean) => void)[]>([])

  const settle = useCallback((proved: boolean) => {
    setOpen(false)
    setProblem(null)
    for (const resolve of waiting.current.splice(0)) resolve(proved)
  }, [])
  const prove = useCallback(() => {
    setOpen(true)
    // Until it is known what there is, the password is asked for.
    void client
      .query(WaysToProveDocument, {}, { requestPolicy: 'network-only' })
      .toPromise()
      .then(({ data }) => data && setWays(data))
    return new Promise<boolean>((resolve) => {
      waiting.current.push(resolve)
    })
  }, [client])
  const refuse = (found: Problem) => {
    if (found.code === 'SLUICE_CODE_NEEDED') setCodeNeeded(true)
    setProblem(found.code === 'SLUICE_CODE_NEEDED' ? null : found)
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    // The form stands in a portal, but its events still rise to the form of the action behind it.
    event.stopPropagation()
    const form = event.currentTarget
    const variables = { password: passwordOf(form), code: formText(form, 'code') || null }
    setBusy(true)
    const { data, error } = await client.mutation(ReauthenticateDocument, variables).toPromise()
    setBusy(false)
    if (data) return settle(true)
    refuse(problemAt(error) ?? unreachable('the answer was empty'))
  }
  const hasPassword = ways?.hasPassword ?? true

  return (
    <ProofContext value={prove}>
      {children}
      <Modal
        opened={isOpen}
        onClose={() => settle(false)}
        title="Show that it is still you"
        closeButtonProps={{ 'aria-label': 'Close' }}
        zIndex={400}
        // Escape would close the dialog behind this one as well: the form answers it for itself.
        closeOnEscape={false}
      >
        <form
          onSubmit={(event) => void submit(event)}
          onKeyDown={({ key }) => key === 'Escape' && settle(false)}
        >
          <Stack>
            <Text size="sm">
              {hasPassword
                ? 'This changes what guards your account. Enter your password; for the next ten minutes you are not asked again.'
                : 'This changes what guards your account. For the next ten minutes you are not asked again.'}
            </Text>
            {problem && <ProblemNote problem={problem} />}
            {hasPassword && (
              <PasswordInput
                label="Your password"
                name="password"
                autoComplete="current-password"
                required
                data-autofocus
                data-mantine-stop-propagation="true"
              />
            )}
            {isCodeNeeded && <CodeInput />}
            {hasPassword && (
              <Group justify="flex-end">
                <Button type="submit" loading={isBusy} data-mantine-stop-propagation="true">
                  Go on
                </Button>
              </Group>
            )}
            {ways && ways.passkeys.length + ways.socialLinks.length > 0 && (
              <>
                {hasPassword && <Divider label="or" />}
                <OtherProofs ways={ways} onProved={() => settle(true)} onProblem={refuse} />
              </>
            )}
          </Stack>
        </form>
      </Modal>
    </ProofContext>
  )
}
