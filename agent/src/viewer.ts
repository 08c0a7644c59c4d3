import { SluiceError } from '@sluice/schema/errors'
import { cliOperations } from '@sluice/schema/operations/cli'

import type { Api } from './api.ts'

export interface Viewer {
  readonly kind: 'ANONYMOUS' | 'USER' | 'AUTHTOKEN' | 'RELAY'
  readonly scopes: readonly string[]
  readonly isAdmin: boolean
  readonly user: { readonly name: string; readonly email: string } | null
  readonly organization: {
    readonly id: string
    readonly name: string
    readonly slug: string
  } | null
}

/** Who the authtoken belongs to. One that the server takes for nobody's is not valid. */
export async function findViewer(api: Api): Promise<Viewer> {
  const { viewer } = await api.query<{ viewer: Viewer }>(cliOperations.viewer)
  if (viewer.kind === 'ANONYMOUS') throw new SluiceError('SLUICE_AUTHTOKEN_INVALID')
  return viewer
}

/** The organization that every command works in. */
export async function findOrganization(api: Api) {
  const { organization } = await findViewer(api)
  if (!organization) throw new SluiceError('SLUICE_ORGANIZATION_NOT_FOUND')
  return organization
}

/** `Ada (Acme)`, as far as it is known. */
export function viewerText({ user, organization }: Viewer): string {
  const who = user?.name ?? 'an authtoken without a user'
  return organization ? `${who} (${organization.name})` : who
}
