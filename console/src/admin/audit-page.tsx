import { getRouteApi } from '@tanstack/react-router'

import { platformAudit } from '../audit/audit-source.ts'
import { AuditView } from '../audit/audit-view.tsx'

const route = getRouteApi('/in/admin/audit')

/** The audit of the platform itself, for staff. */
export function PlatformAuditPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()

  return (
    <AuditView
      source={platformAudit}
      about="What was done outside all organizations: by staff, relays and people who are in none. What staff does to an organization or its members stands in the audit of that organization."
      search={search}
      onSearch={(next) => void navigate({ search: next, replace: true, resetScroll: false })}
    />
  )
}
