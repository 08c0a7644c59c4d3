import { cliOperations } from '@sluice/schema/operations/cli'

import { warnOfEnd } from '../authtoken-end.ts'
import type { Output } from '../output.ts'
import { shownProblemOf } from '../problem.ts'
import { plainText } from '../terminal-text.ts'
import type { ListedTunnel } from '../tunnel-list.ts'
import type { Viewer } from '../viewer.ts'
import { apiOf, type CommandContext } from './context.ts'

interface StatusAnswer {
  viewer: Omit<Viewer, 'organization'> & {
    organization: {
      id: string
      name: string
      slug: string
      plan: { name: string } | null
      tunnels: {
        nodes: Pick<ListedTunnel, 'id' | 'name' | 'status' | 'urls' | 'region' | 'connections'>[]
        pageInfo: { hasNextPage: boolean }
      } | null
    } | null
  }
  regions: { id: string; name: string; available: boolean }[] | null
}

/** Says whether the server answers, who is logged in, and how the tunnels are. */
export async function runStatus(context: CommandContext): Promise<void> {
  const { settings, output } = context
  const startedAt = performance.now()
  const api = apiOf(context)
  const { data, problems } = await api.queryPartial<StatusAnswer>(cliOperations.status)
  const answeredMs = Math.round(performance.now() - startedAt)

  const { server, serverFrom, authtokenFrom, configPath } = settings
  const shown = problems.map((each) => {
    const { exitCode: _exitCode, ...problem } = shownProblemOf(each, server)
    return problem
  })
  if (output.json) {
    output.event({
      server,
      serverFrom,
      answeredMs,
      authtokenFrom,
      configPath,
      ...data,
      problems: shown,
    })
    return
  }
  const row = (label: string, text: string) =>
    output.result(`${output.style('bold', label.padEnd(14))}${plainText(text)}`)
  row('Server', `${server} (${serverFrom}), answers in ${answeredMs} ms`)
  showViewer(data, row, authtokenFrom)
  showTunnels(data, row, output)
  for (const { title, code } of shown) output.warning(`Not complete: ${title} (${code})`)
  await warnOfEnd(api, output, settings)
}

type Row = (label: string, text: string) => void

function showViewer({ viewer, regions }: StatusAnswer, row: Row, authtokenFrom: string | null) {
  const who = viewer.user ? `${viewer.user.name} <${viewer.user.email}>` : viewer.kind.toLowerCase()
  row('Logged in as', `${who} (authtoken from ${authtokenFrom ?? 'nowhere'})`)
  const { organization } = viewer
  if (organization) {
    const plan = organization.plan === null ? 'plan not known' : `plan ${organization.plan.name}`
    row('Organization', `${organization.name} (${plan})`)
  }
  const regionText = (regions ?? []).map(({ id, available }) => (available ? id : `${id} (down)`))
  row('Regions', regionText.join(', ') || 'not known')
}

function showTunnels({ viewer }: StatusAnswer, row: Row, output: Output) {
  const tunnels = viewer.organization?.tunnels
  if (!tunnels) {
    row('Tunnels', 'not known')
    return
  }
  const online = tunnels.nodes.filter(({ status }) => status === 'ONLINE')
  const all = `${tunnels.nodes.length}${tunnels.pageInfo.hasNextPage ? '+' : ''}`
  row('Tunnels', `${online.length} of ${all} online`)
  for (const { name, urls, connections } of online) {
    const many = connections === 1 ? '1 connection' : `${connections} connections`
    output.result(plainText(`  ${name}  ${urls[0] ?? ''}  ${many}`))
  }
}
