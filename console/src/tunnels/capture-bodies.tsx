import { Stack, Switch, Text } from '@mantine/core'

import { CaptureBodiesDocument } from '../gql/graphql.ts'
import { useMay } from '../shell/organization.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'

interface Props {
  readonly id: string
  readonly isOn: boolean
}

/** Whether the beginnings of bodies are kept: off unless somebody wants to see them. */
export function CaptureBodies({ id, isOn }: Props) {
  const mayManage = useMay('tunnels.manage')
  const { run, isBusy, problem } = useAction(CaptureBodiesDocument)
  return (
    <Stack gap={4}>
      <Switch
        size="xs"
        checked={isOn}
        disabled={isBusy || !mayManage}
        label="Keep the beginnings of bodies"
        onChange={({ currentTarget }) =>
          void run({ id, input: { captureBodies: currentTarget.checked } })
        }
      />
      <Text size="xs" c="dimmed">
        The first 64 KiB of each, fields that look like secrets taken out.
      </Text>
      {problem && <ProblemNote problem={problem} />}
    </Stack>
  )
}
