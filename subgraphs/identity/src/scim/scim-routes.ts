import type { Log } from '@sluice/kit/log'
import type { RestAnswer, RestMethod, RestRequest, RestRoute } from '@sluice/kit/rest'

import type { Deps } from '../context.ts'
import { answerScim, refusalOf, type ScimAnswer } from './answer.ts'

const basePath = '/scim/v2'
/** A change of 10,000 members has half of it. */
const bodyBytesMax = 1024 * 1024
const methods: readonly RestMethod[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
/** Everything below the base, so that what is not there is refused in SCIM's form, too. */
const paths = ['/:resource', '/:resource/:id', '/:resource/:id/:more'] as const

/** SCIM 2.0 for identity providers. The gateway leaves `Authorization` to us: only we know SCIM tokens. */
export function scimRoutes(deps: Deps, log: Log): RestRoute[] {
  const baseUrl = scimBaseUrl(deps)
  const handle = async ({ method, path, query, caller, body }: RestRequest) =>
    restAnswer(
      await answerScim(deps, log, baseUrl, {
        method,
        path: path.slice(basePath.length).replace(/\/$/, ''),
        query,
        header: (name) => caller.header(name),
        body,
        ip: caller.visitorIp,
      }),
    )
  return paths.flatMap((path) =>
    methods.map((method) => ({
      method,
      path: basePath + path,
      bodyBytesMax,
      handle,
      problem: (error) => restAnswer(refusalOf(error)),
    })),
  )
}

/** What an identity provider is told. */
export function scimBaseUrl({ consoleOrigin }: Pick<Deps, 'consoleOrigin'>): string {
  return new URL(basePath, consoleOrigin).href
}

function restAnswer({ status, headers, body }: ScimAnswer): RestAnswer {
  return { status, headers, ...(body === null ? {} : { body: JSON.stringify(body) }) }
}
