import { useCallback } from 'react'
import { useClient } from 'urql'

import { MeDocument } from '../gql/graphql.ts'

/** Reads anew who one is: the shell finds organizations, and what one may do there, in `me`. */
export function useReadMe(): () => Promise<unknown> {
  const client = useClient()
  return useCallback(
    () => client.query(MeDocument, {}, { requestPolicy: 'network-only' }).toPromise(),
    [client],
  )
}
