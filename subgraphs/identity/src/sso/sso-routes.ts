import { forkSystem } from '@sluice/kit/database'
import type { RestAnswer, RestRequest, RestRoute } from '@sluice/kit/rest'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import { createContext, type Deps } from '../context.ts'
import { finishOidc, finishSaml, takeSamlAnswer } from './finish-sso.ts'
import { findSamlKeys } from './saml-key.ts'
import { samlMetadata } from './saml.ts'
import { SsoConnection } from './sso-connection.entity.ts'
import { leave } from './start-sso.ts'

/** The form around the largest SAML answer, with what base64 and percent-encoding add. */
const formBytesMax = 256 * 1024

/** Where browsers leave for identity providers, and where those send them back to. */
export function ssoRoutes(deps: Deps): RestRoute[] {
  const { sso } = deps
  const contextOf = ({ caller }: RestRequest) => createContext(deps, caller)
  const seeOther = (location: string, cookie?: string): RestAnswer => ({
    status: 303,
    headers: { location, ...(cookie === undefined ? {} : { 'set-cookie': cookie }) },
  })
  return [
    {
      method: 'GET',
      path: '/auth/sso/start',
      async handle(request) {
        try {
          const refreshCookie = request.cookie(deps.refreshCookie.name)
          const { location, cookie } = await leave(contextOf(request), request.query, refreshCookie)
          return seeOther(location, cookie)
        } catch (error) {
          // A person looks at this, not a program.
          if (!(error instanceof SluiceError)) throw error
          return seeOther(`/sign-in?problem=${error.code}`)
        }
      },
    },
    {
      method: 'GET',
      path: '/auth/sso/callback/:connection',
      async handle(request) {
        const location = await finishOidc(contextOf(request), {
          connectionId: request.params['connection'] ?? '',
          query: request.query,
          browserSecret: request.cookie(sso.cookieName),
        })
        return seeOther(location, sso.cookie(null))
      },
    },
    {
      method: 'POST',
      path: '/auth/saml/acs',
      bodyBytesMax: formBytesMax,
      handle: async (request) => seeOther(await takeSamlAnswer(contextOf(request), request.form())),
    },
    {
      method: 'GET',
      path: '/auth/saml/finish',
      async handle(request) {
        const answer = request.query.get('answer') ?? ''
        const browserSecret = request.cookie(sso.cookieName)
        const location = await finishSaml(contextOf(request), answer, browserSecret)
        return seeOther(location, sso.cookie(null))
      },
    },
    {
      method: 'GET',
      path: '/auth/saml/metadata/:connection',
      async handle({ params }) {
        const id = params['connection'] ?? ''
        const em = forkSystem(deps.orm)
        const known = isUuid(id) ? await em.findOne(SsoConnection, { id, kind: 'SAML' }) : null
        if (!known) throw new SluiceError('SLUICE_SSO_NOT_FOUND')
        const certificates = (await findSamlKeys(em, id)).map(({ certificate }) => certificate)
        const signsRequests = known.signsRequests || known.saml?.wantsSignedRequests === true
        const headers = {
          'content-type': 'application/samlmetadata+xml; charset=utf-8',
          'content-disposition': 'inline; filename="sluice-metadata.xml"',
        }
        return {
          status: 200,
          headers,
          body: samlMetadata(sso.samlAddresses(id), { certificates, signsRequests }),
        }
      },
    },
  ]
}
