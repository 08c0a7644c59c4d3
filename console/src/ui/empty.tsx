import { Group, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'

interface Props {
  readonly title: string
  readonly children?: ReactNode
  readonly action?: ReactNode
}

/** Nothing here yet: why, and the exact next step. */
export function Empty({ title, children, action }: Props) {
  return (
    <Stack gap="sm" align="stretch" maw={600} mx="auto" py="xl">
      <Text fw={600}>{title}</Text>
      {children}
      {action && <Group>{action}</Group>}
    </Stack>
  )
}
