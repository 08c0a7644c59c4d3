import { createContext, useContext } from 'react'

import type { MeQuery } from '../gql/graphql.ts'

export type Me = NonNullable<MeQuery['me']>

export const MeContext = createContext<Me | null>(null)

export function useMe(): Me {
  const me = useContext(MeContext)
  if (!me) throw new Error('useMe needs a sign-in')
  return me
}
