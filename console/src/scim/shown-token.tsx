import { Stack, Text } from '@mantine/core'

import { Command } from '../ui/copy.tsx'

/** The one time a SCIM token is shown. */
export function ShownToken({ secret }: { secret: string }) {
  return (
    <Stack gap="sm">
      <Text size="sm">
        Copy it now: it is shown this once, and only its hash is kept. Whoever has it can add and
        remove the people of this organization.
      </Text>
      <Command isPlain what="the token">
        {secret}
      </Command>
    </Stack>
  )
}
