import { Stack, Text } from '@mantine/core'

import { Command } from '../ui/copy.tsx'
import { ProviderHints } from './provider-hints.tsx'
import type { SsoConnection } from './sso-page.tsx'

/** What the identity provider has to be told of us. */
export function OurAddresses({ connection }: { connection: SsoConnection }) {
  const { kind, redirectUri, acsUrl, entityId } = connection
  const addresses =
    kind === 'OIDC'
      ? ([['Redirect URI', redirectUri]] as const)
      : ([
          ['Assertion consumer service (ACS, reply URL)', acsUrl],
          ['Entity id (audience), also the address of our metadata', entityId],
        ] as const)
  return (
    <Stack gap="xs">
      <Text size="sm">
        {kind === 'OIDC'
          ? 'Make a web application at your identity provider, and give it this address:'
          : 'Make a SAML application at your identity provider, and give it these addresses:'}
      </Text>
      {addresses.map(([label, address]) => (
        <div key={label}>
          <Text size="sm" c="dimmed">
            {label}
          </Text>
          <Command isPlain what={label}>
            {address}
          </Command>
        </div>
      ))}
      <ProviderHints kind={kind} />
      {kind === 'SAML' && (
        <Text size="sm" c="dimmed">
          It has to sign assertions, and to send a lasting NameID and the attribute{' '}
          <code>email</code>.
        </Text>
      )}
    </Stack>
  )
}
