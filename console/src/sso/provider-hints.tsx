import { SegmentedControl, Stack, Text } from '@mantine/core'
import { useState } from 'react'

import type { SsoKind } from '../gql/graphql.ts'

interface Hint {
  readonly label: string
  /** Where to begin, what its fields are called, and what is easily missed. */
  readonly OIDC: readonly string[]
  readonly SAML: readonly string[]
}

const hints = {
  okta: {
    label: 'Okta',
    OIDC: [
      'Applications, Create App Integration: OIDC, Web Application. The redirect URI goes to “Sign-in redirect URIs”.',
      'The issuer is your Okta address, such as https://acme.okta.com. For roles, add a groups claim named “groups” under Sign On.',
    ],
    SAML: [
      'Applications, Create App Integration: SAML 2.0. The ACS address goes to “Single sign-on URL”, the entity id to “Audience URI (SP Entity ID)”.',
      'Add the attribute statement email = user.email. The metadata address stands under Sign On.',
    ],
  },
  entra: {
    label: 'Entra ID',
    OIDC: [
      'App registrations, New registration: platform Web. The redirect URI goes to “Redirect URI”, the secret comes from “Certificates & secrets”: copy its Value, not its Secret ID.',
      'The issuer is https://login.microsoftonline.com/TENANT-ID/v2.0. Under “Token configuration” add the optional claim email, and groups for roles: these arrive as object ids.',
    ],
    SAML: [
      'Enterprise applications, New application, Create your own. The entity id goes to “Identifier”, the ACS address to “Reply URL”.',
      'The metadata address is “App Federation Metadata Url”. For roles add a group claim; its groups arrive as object ids.',
    ],
  },
  google: {
    label: 'Google Workspace',
    OIDC: [
      'Google Cloud console, Credentials: OAuth client ID, Web application. The redirect URI goes to “Authorized redirect URIs”; make the consent screen Internal.',
      'The issuer is https://accounts.google.com. Google tells no groups by OpenID Connect: take SAML if roles are to follow them.',
    ],
    SAML: [
      'Admin console, Apps, Web and mobile apps, Add custom SAML app. Download the metadata there: it has no address.',
      'The ACS address goes to “ACS URL”, the entity id to “Entity ID”; Name ID format EMAIL. Map the primary email to the attribute email, and groups under “Group membership”.',
    ],
  },
} as const satisfies Record<string, Hint>

type Provider = keyof typeof hints

function isProvider(value: string): value is Provider {
  return Object.hasOwn(hints, value)
}

/** What the fields of common identity providers are called, and what people trip over there. */
export function ProviderHints({ kind }: { kind: SsoKind }) {
  const [provider, setProvider] = useState<Provider>('okta')
  return (
    <Stack gap="xs" maw={720}>
      <SegmentedControl
        aria-label="Your identity provider"
        value={provider}
        onChange={(value) => isProvider(value) && setProvider(value)}
        data={Object.entries(hints).map(([value, { label }]) => ({ value, label }))}
        w="fit-content"
      />
      {hints[provider][kind].map((line) => (
        <Text size="sm" key={line}>
          {line}
        </Text>
      ))}
    </Stack>
  )
}
