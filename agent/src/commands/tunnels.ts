import { momentText } from '../figures.ts'
import { tableLines } from '../table.ts'
import { listTunnels, type ListedTunnel } from '../tunnel-list.ts'
import { apiOf, type CommandContext } from './context.ts'

/** Lists the organization's tunnels. */
export async function runTunnels(context: CommandContext): Promise<void> {
  const { output } = context
  const tunnels: ListedTunnel[] = []
  for await (const tunnel of listTunnels(apiOf(context))) tunnels.push(tunnel)
  if (output.json) {
    output.event({ tunnels })
    return
  }
  if (tunnels.length === 0) {
    output.message('There is no tunnel yet. Open one: sluice http 3000')
    return
  }
  const rows = tunnels.map(({ name, status, urls, region, connections, onlineSince }) => [
    name,
    status.toLowerCase(),
    urls[0] ?? '',
    region,
    String(connections),
    onlineSince === null ? '-' : momentText(new Date(onlineSince)),
  ])
  const headings = ['NAME', 'STATUS', 'URL', 'REGION', 'CONNECTIONS', 'ONLINE SINCE']
  const [heading = '', ...lines] = tableLines(headings, rows)
  output.result(output.style('bold', heading))
  for (const line of lines) output.result(line)
}
