import { getRouteApi } from '@tanstack/react-router'

import { usePlace } from '../shell/organization.ts'
import { auditOfOrganization } from './audit-source.ts'
import { AuditStreams } from './audit-streams.tsx'
import { AuditView } from './audit-view.tsx'

const route = getRouteApi('/in/o/$slug/audit')

/** The audit of an organization, for those who may read it. */
export function AuditPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const { organization } = usePlace()
  const mayStream = organization.viewerPermissions.includes('audit.manage')

  return (
    <AuditView
      source={auditOfOrganization(organization.id)}
      about="Who changed what, and from where. Entries are never changed or removed."
      search={search}
      onSearch={(next) => void navigate({ search: next, replace: true, resetScroll: false })}
      streams={mayStream && <AuditStreams />}
    />
  )
}
