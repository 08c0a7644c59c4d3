import type { Log } from '@sluice/kit/log'
import type { RestRoute } from '@sluice/kit/rest'

import { exportAccountRoute } from './account/export-account.ts'
import { auditRoutes } from './audit/audit-routes.ts'
import { authenticateRoute } from './authenticate/authenticate-route.ts'
import type { Deps } from './context.ts'
import { memberRoutes } from './organization/member-routes.ts'
import { revocationsRoute } from './revocation/revocations-route.ts'
import { revokeRoute } from './revocation/revoke-route.ts'
import { scimRoutes } from './scim/scim-routes.ts'
import { socialRoutes } from './social/social-routes.ts'
import { ssoAdminRoutes } from './sso/sso-admin-routes.ts'
import { ssoRoutes } from './sso/sso-routes.ts'

/** What identity answers outside the graph: each part brings its routes. The gateway forwards those of its `rest-paths`. */
export function restRoutes(deps: Deps, log: Log): RestRoute[] {
  return [
    authenticateRoute(deps),
    revocationsRoute(deps),
    revokeRoute(deps),
    exportAccountRoute(deps),
    ...auditRoutes(deps),
    ...socialRoutes(deps),
    ...ssoRoutes(deps),
    ...ssoAdminRoutes(deps),
    ...scimRoutes(deps, log),
    ...memberRoutes(deps),
  ]
}
