import { useMemo } from 'react'
import { useQuery } from 'urql'

import { RoleChoicesDocument } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { choicesOf } from './role-choice.ts'

/** The roles that members of this organization can have. While it loads, the built-in ones. */
export function useRoleChoices() {
  const { organization } = usePlace()
  const [{ data }] = useQuery({
    query: RoleChoicesDocument,
    variables: { organizationId: organization.id },
  })
  const custom = data?.organization?.roles
  return useMemo(() => choicesOf(custom ?? []), [custom])
}
