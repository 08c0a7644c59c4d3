import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useState } from 'react'

import { RemoveSecondFactorDocument, RenewRecoveryCodesDocument } from '../gql/graphql.ts'
import type { AccountSecurityQuery } from '../gql/graphql.ts'
import { Confirm } from '../ui/confirm.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { dayOf } from '../ui/time.tsx'
import { StateWord } from '../ui/tone.tsx'
import { useAction } from '../ui/use-action.ts'
import { RecoveryCodes } from './recovery-codes.tsx'
import { SetUpSecondFactor } from './set-up-second-factor.tsx'

interface Props {
  readonly factor: AccountSecurityQuery['secondFactor']
  readonly onChanged: () => void
}

export function SecondFactorSettings({ factor, onChanged }: Props) {
  const [isRemoving, setRemoving] = useState(false)
  const [codes, setCodes] = useState<readonly string[] | null>(null)
  const removal = useAction(RemoveSecondFactorDocument)
  const renewal = useAction(RenewRecoveryCodesDocument)

  const renew = async () => {
    const { data } = await renewal.run({})
    if (data) setCodes(data.renewRecoveryCodes)
  }
  const close = () => {
    setCodes(null)
    onChanged()
  }

  return (
    <Stack gap="sm">
      <Group justify="space-between" align="flex-start">
        {factor ? (
          <div>
            <StateWord tone="good">On since {dayOf(factor.confirmedAt)}</StateWord>
            <Text size="sm" c="dimmed">
              {factor.recoveryCodesLeft === 1
                ? '1 recovery code is left.'
                : `${factor.recoveryCodesLeft} recovery codes are left.`}
            </Text>
          </div>
        ) : (
          <Text size="sm" maw={520}>
            With an authenticator app, a password that somebody else knows is not enough to sign in
            as you.
          </Text>
        )}
        {factor ? (
          <Group gap="xs">
            <Button variant="default" loading={renewal.isBusy} onClick={() => void renew()}>
              New recovery codes
            </Button>
            <Button variant="default" onClick={() => setRemoving(true)}>
              Turn it off
            </Button>
          </Group>
        ) : (
          <SetUpSecondFactor onDone={setCodes} />
        )}
      </Group>
      {renewal.problem && <ProblemNote problem={renewal.problem} />}
      <Modal
        opened={codes !== null}
        onClose={close}
        // What is shown once must not go away by a click beside it.
        closeOnClickOutside={false}
        title="Your recovery codes"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Stack>
          <RecoveryCodes codes={codes ?? []} />
          <Group justify="flex-end">
            <Button onClick={close}>I have kept them</Button>
          </Group>
        </Stack>
      </Modal>
      <Confirm
        isOpen={isRemoving}
        title="Turn the second factor off?"
        effect="Signing in needs your password alone from then on, and the recovery codes are void."
        action="Turn it off"
        onClose={() => setRemoving(false)}
        onConfirm={async () => {
          const { problem } = await removal.run({})
          if (!problem) onChanged()
          return problem
        }}
      />
    </Stack>
  )
}
