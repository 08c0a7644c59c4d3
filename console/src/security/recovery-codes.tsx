import { Stack, Text } from '@mantine/core'

import { Copy } from '../ui/copy.tsx'

/** The one time recovery codes are shown. */
export function RecoveryCodes({ codes }: { readonly codes: readonly string[] }) {
  return (
    <Stack gap="sm">
      <Text size="sm">
        Each of them stands in for your authenticator app once. They are shown this once: keep them
        where you find them without your phone.
      </Text>
      <div className="command" data-plain>
        <code style={{ whiteSpace: 'pre-line' }}>{codes.join('\n')}</code>
        <Copy value={codes.join('\n')} what="the recovery codes" />
      </div>
    </Stack>
  )
}
