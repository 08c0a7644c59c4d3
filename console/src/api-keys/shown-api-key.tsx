import { Stack, Text } from '@mantine/core'

import { Command } from '../ui/copy.tsx'

/** The one time an API key is shown. */
export function ShownApiKey({ secret }: { secret: string }) {
  return (
    <Stack gap="sm">
      <Text size="sm">
        Copy it now: it is shown this once, and only its hash is kept. It goes into the header of
        each request, as <code>Authorization: Bearer</code> and the key.
      </Text>
      <Command isPlain what="the API key">
        {secret}
      </Command>
    </Stack>
  )
}
