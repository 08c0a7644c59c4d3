import { Stack, Text } from '@mantine/core'

import { CliNote } from '../ui/cli-program.tsx'
import { Command } from '../ui/copy.tsx'
import { loginCommand } from './scopes.ts'

/** The one time an authtoken is shown, with the line that uses it. */
export function CreatedAuthtoken({ secret }: { secret: string }) {
  return (
    <Stack gap="sm">
      <Text size="sm">
        Copy it now: it is shown this once, and only its hash is kept. Whoever has it can open
        tunnels for your organization.
      </Text>
      <Command isPlain what="the authtoken">
        {secret}
      </Command>
      <Text size="sm">To log in with it, run this on the machine where the service runs:</Text>
      <Command>{loginCommand(secret, location.origin)}</Command>
      <CliNote />
    </Stack>
  )
}
