import { SluiceError } from '@sluice/schema/errors'
import { cliOperations } from '@sluice/schema/operations/cli'

import type { Api } from '../api.ts'
import { shownProblemOf } from '../problem.ts'
import { requestLine, type LoggedRequest } from '../request-log.ts'
import { findTunnel } from '../tunnel-list.ts'
import { findOrganization } from '../viewer.ts'
import { apiOf, authtokenOf, type CommandContext } from './context.ts'

export interface LogsFlags {
  readonly follow?: boolean
  readonly tunnel?: string
  readonly limit: number
}

/** Shows requests of the past, oldest first, and with `-f` those to come. */
export async function runLogs(flags: LogsFlags, context: CommandContext): Promise<void> {
  const { output } = context
  const api = apiOf(context)
  const { id: organizationId } = await findOrganization(api)
  const tunnelId = flags.tunnel === undefined ? null : (await findTunnel(api, flags.tunnel)).id

  const page = flags.limit === 0 ? [] : await recentRequests(api, tunnelId, flags.limit)
  for (const { node } of page.toReversed()) await show(node, context)
  if (flags.follow) await follow(context, organizationId, tunnelId, page)
  else if (page.length === 0) output.message('There are no requests yet.')
}

interface Page {
  readonly edges: readonly { readonly cursor: string; readonly node: LoggedRequest }[]
}

/** The newest requests, newest first. Joined fields may be missing: that is no reason to show nothing. */
async function recentRequests(api: Api, tunnelId: string | null, first: number) {
  if (tunnelId === null) {
    type OfOrganization = { viewer: { organization: { requests: Page | null } | null } }
    const { data, problems } = await api.queryPartial<OfOrganization>(cliOperations.requests, {
      first,
    })
    const page = data.viewer.organization?.requests
    // Null without a reason is how the graph hides what the scopes do not allow.
    if (!page) throw problems[0] ?? new SluiceError('SLUICE_FORBIDDEN')
    return page.edges
  }
  type OfTunnel = { tunnel: { requests: Page } | null }
  const variables = { tunnelId, first }
  const { data, problems } = await api.queryPartial<OfTunnel>(
    cliOperations.tunnelRequests,
    variables,
  )
  if (!data.tunnel) throw problems[0] ?? new SluiceError('SLUICE_TUNNEL_NOT_FOUND')
  return data.tunnel.requests.edges
}

async function follow(
  context: CommandContext,
  organizationId: string,
  tunnelId: string | null,
  page: Page['edges'],
): Promise<void> {
  const { settings, output, io } = context
  const { server, ca, proxyOf } = settings
  // Loaded only here: no other command opens a WebSocket to the server.
  const { followRequests } = await import('../follow-requests.ts')
  const authtoken = authtokenOf(settings)
  // The newest shown is where the stream goes on, so that nothing falls between page and stream.
  const after = page[0]?.cursor ?? null
  await followRequests(
    { server, ca, proxyOf, authtoken, organizationId, tunnelId, after, signal: io.signal },
    {
      connected(reconnected) {
        if (output.json) output.event({ event: reconnected ? 'reconnected' : 'connected' })
        else output.message(reconnected ? 'Live again.' : 'Waiting for requests. Ctrl-C ends.')
      },
      disconnected(problem, retryInMs) {
        const { exitCode: _exitCode, ...shown } = shownProblemOf(problem, server)
        if (output.json) output.event({ event: 'disconnected', retryInMs, ...shown })
        else {
          const seconds = (retryInMs / 1000).toFixed(1)
          output.message(`Disconnected: ${shown.cause} Next attempt in ${seconds} s.`)
        }
      },
      missed(requests) {
        if (output.json) output.event({ event: 'gap', missed: requests })
        else output.warning(`--- gap: ${requests ?? 'some'} requests are not shown ---`)
      },
      request: (request) => show(request, context),
    },
  )
}

function show(request: LoggedRequest, { output }: CommandContext): void | Promise<void> {
  const hasRoom = output.json
    ? output.event({ event: 'request', ...request })
    : output.result(requestLine(request, output))
  return hasRoom ? undefined : output.drained()
}
