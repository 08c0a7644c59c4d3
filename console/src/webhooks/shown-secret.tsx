import { Stack, Text } from '@mantine/core'

import { Command } from '../ui/copy.tsx'

/** The one time the secret of an endpoint is shown. */
export function ShownSecret({ secret }: { secret: string }) {
  return (
    <Stack gap="sm">
      <Text size="sm">
        Copy it now: it is shown this once. With it the receiver verifies that a message is ours,
        for example with the package <code>standardwebhooks</code>.
      </Text>
      <Command isPlain what="the secret">
        {secret}
      </Command>
    </Stack>
  )
}
