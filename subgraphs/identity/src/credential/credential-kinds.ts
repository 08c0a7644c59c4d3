import type { EntityName } from '@mikro-orm/core'

import { ApiKey } from '../api-key/api-key.entity.ts'
import { Authtoken } from '../authtoken/authtoken.entity.ts'

/** A row of either kind, as far as both are the same. */
export type Credential = Pick<Authtoken, Extract<keyof Authtoken & keyof ApiKey, string>>

/** Where the credentials of a kind are kept. Its name begins the names of its acts. */
export interface Kind<Row extends Credential> {
  readonly name: 'authtoken' | 'api-key'
  readonly entity: EntityName<Row>
}

export const authtokenKind: Kind<Authtoken> = { name: 'authtoken', entity: Authtoken }
export const apiKeyKind: Kind<ApiKey> = { name: 'api-key', entity: ApiKey }

/** Both, for what is done to either in the same way. */
export const credentialKinds = [commonOf(authtokenKind), commonOf(apiKeyKind)]

/** A kind as far as both are the same: what is written here, no kind has in another way. */
export function commonOf<Row extends Credential>({ name, entity }: Kind<Row>): Kind<Credential> {
  return { name, entity: entity as EntityName<Credential> }
}
