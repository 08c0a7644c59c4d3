import { Text } from '@mantine/core'

import { isGood } from '../credentials/cells.tsx'
import { CredentialsPage } from '../credentials/credentials-page.tsx'
import {
  ApiKeysDocument,
  ChangeApiKeyDocument,
  RevokeApiKeyDocument,
  RotateApiKeyDocument,
} from '../gql/graphql.ts'
import type { ApiKeysQuery, RotateApiKeyMutation } from '../gql/graphql.ts'
import { usePages } from '../graph/use-pages.ts'
import { usePlace } from '../shell/organization.ts'
import { Command } from '../ui/copy.tsx'
import { CreateApiKeyDialog } from './create-api-key-dialog.tsx'
import { ShownApiKey } from './shown-api-key.tsx'

const apiKeysOf = (data: ApiKeysQuery) => data.organization?.apiKeys
type ApiKey = NonNullable<ReturnType<typeof apiKeysOf>>['nodes'][number]

const mutations = {
  rotate: RotateApiKeyDocument,
  secretOf: ({ rotateApiKey }: RotateApiKeyMutation) => rotateApiKey.secret,
  change: ChangeApiKeyDocument,
  revoke: RevokeApiKeyDocument,
}

export function ApiKeysPage() {
  const { organization } = usePlace()
  const pages = usePages({
    document: ApiKeysDocument,
    variables: { organizationId: organization.id },
    pick: apiKeysOf,
  })
  return (
    <CredentialsPage
      title="API keys"
      about="An API key lets a program of yours, or of a partner, ask the public graph. It belongs to the organization and stays when its maker leaves."
      what={['API key', 'API keys']}
      pages={pages}
      path="organization.apiKeys"
      mayChange={organization.viewerPermissions.includes('api-keys.manage')}
      mutations={mutations}
      scope={{ heading: 'May', of: (key) => <Scope {...key} /> }}
      makerNote={(key) => <MakerNote {...key} />}
      emptyHint={
        <>
          <Text size="sm" c="dimmed">
            Programs send it with each request to the public graph:
          </Text>
          <Command isPlain>{`${location.origin}/public/graphql`}</Command>
        </>
      }
      revokeEffect="Programs that use it are refused within seconds. It cannot be taken back."
      show={(secret) => <ShownApiKey secret={secret} />}
      createDialog={(dialog) => <CreateApiKeyDialog {...dialog} />}
    />
  )
}

function Scope({ permissions, requestsPerMinute }: ApiKey) {
  return (
    <>
      <Text size="sm" title={permissions.join('\n')}>
        {permissions.slice(0, 2).join(', ')}
        {permissions.length > 2 && ` and ${permissions.length - 2} more`}
      </Text>
      {requestsPerMinute !== null && (
        <Text size="xs" c="dimmed">
          {requestsPerMinute} requests a minute
        </Text>
      )}
    </>
  )
}

/** Whether its maker could still make it: a key goes on without them, so somebody should look. */
function MakerNote({ createdBy, makerHolds, ...ending }: ApiKey) {
  if (makerHolds || !isGood(ending)) return null
  return (
    <Text size="xs" className="tone-warn">
      {createdBy ? 'Its maker may do less by now' : 'Its maker has left'}
    </Text>
  )
}
