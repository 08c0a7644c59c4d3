import { useQuery } from 'urql'

import { ClosedOrganizationsDocument } from '../gql/graphql.ts'

/** Organizations of one’s own that ask for their single sign-on first, and whether this sign-in is one for another alone. */
export function useClosedOrganizations() {
  const [{ data, fetching }] = useQuery({ query: ClosedOrganizationsDocument })
  return {
    isLoading: fetching && !data,
    isSsoSignIn: data?.viewer.isSsoSignIn ?? false,
    closed: data?.viewer.closedOrganizations ?? [],
  }
}
