import { Select } from '@mantine/core'
import { useQuery } from 'urql'

import { ServiceAccountsDocument } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'

interface Props {
  /** Who it acts for when no service account is chosen. */
  readonly otherwise: string
  readonly description: string
}

/** Whom a new credential acts for. Shown to those who look after service accounts, where there are any. */
export function ActsFor({ otherwise, description }: Props) {
  const { organization } = usePlace()
  const mayChoose = organization.viewerPermissions.includes('service-accounts.manage')
  const [{ data }] = useQuery({
    query: ServiceAccountsDocument,
    variables: { organizationId: organization.id },
    pause: !mayChoose,
  })
  const accounts = data?.organization?.serviceAccounts.filter(({ disabledAt }) => !disabledAt) ?? []
  if (accounts.length === 0) return null
  return (
    <Select
      label="Acts for"
      name="actsFor"
      description={description}
      data={[
        { value: '', label: otherwise },
        ...accounts.map(({ id, name }) => ({ value: id, label: name })),
      ]}
      defaultValue=""
      allowDeselect={false}
    />
  )
}
