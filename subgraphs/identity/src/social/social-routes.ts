import type { RestRoute } from '@sluice/kit/rest'

import { createContext, type Deps } from '../context.ts'
import { finishSocial } from './finish-social.ts'
import { socialProviders } from './social-link.entity.ts'

/** Where providers send browsers back to. Each has a path of its own, so that no answer passes for another's. */
export function socialRoutes(deps: Deps): RestRoute[] {
  return socialProviders.map((provider) => ({
    method: 'GET',
    path: `/auth/${provider}/callback`,
    async handle({ query, caller, cookie }) {
      const browserSecret = cookie(deps.social.cookieName)
      const context = createContext(deps, caller)
      const location = await finishSocial(context, { provider, query, browserSecret })
      return { status: 303, headers: { location } }
    },
  }))
}
