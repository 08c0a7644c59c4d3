import { setTimeout as sleep } from 'node:timers/promises'

import type { Agents } from './control/agents.ts'
import type { Edge } from './edge/edge.ts'
import type { PeerSide } from './peer/peer-side.ts'
import type { RawEdge } from './raw/raw-edge.ts'
import type { Registration } from './registration.ts'

/** How long agents may take to open their next session elsewhere before new visitors are turned away here. */
const movedMsMax = 10_000
/** How long nothing has to be under way before the relay is closed: other relays know by then where its tunnels are. */
const quietMs = 500
const lookMs = 20
/** How often it is asked whether another relay takes agents: several may leave at once. */
const othersEveryMs = 1_000

interface Draining {
  readonly preDrainMs?: number | undefined
  readonly drainMs: number
  /** Other processes listen on the same ports. */
  readonly reusePort?: boolean | undefined
  readonly registration: Registration | undefined
  readonly agents: Agents
  readonly peerSide: PeerSide
  readonly edge: Edge
  readonly raw: RawEdge
}

/** Empties a relay that is not ready any more: sends its agents elsewhere, and returns once nothing is under way. */
export async function drain(relay: Draining): Promise<void> {
  const { preDrainMs, drainMs, reusePort, registration, agents, peerSide, edge, raw } = relay
  // Of no use to new agents. Visitors still come, and are served, until balancers have seen it.
  const told = registration?.drain()
  if (preDrainMs) await sleep(preDrainMs)
  const untilMs = performance.now() + drainMs
  const stopListening = async (): Promise<void> => {
    // Right behind a look for new connections: what waits in a listener that closes is reset.
    if (reusePort || peerSide.peers) await new Promise(setImmediate)
    edge.drain()
    raw.drain()
  }
  // The others have the ports from now on. An agent that dials again would be led back here as likely as to them.
  if (reusePort) await stopListening()
  agents.goAway(drainMs)
  if (peerSide.peers) await untilMoved(relay)
  if (!reusePort) await stopListening()
  await told
  const enoughMs = peerSide.peers ? quietMs : 0
  let busyMs = performance.now()
  while (performance.now() < untilMs) {
    if (agents.streamCount() + edge.busy() + raw.forwards() > 0) busyMs = performance.now()
    // A request of another relay may still be on its way here, by the route of before.
    else if (performance.now() - busyMs >= enoughMs) break
    await sleep(lookMs)
  }
}

/** Waits for agents to move. Where no other relay takes them there is nothing to wait for but what is in flight. */
async function untilMoved({ drainMs, registration, peerSide }: Draining): Promise<void> {
  let alone = false
  const look = async (): Promise<void> => {
    alone = (await registration?.othersReady()) === 0
  }
  void look()
  const looking = setInterval(() => void look(), othersEveryMs)
  await peerSide.untilMoved(Math.min(drainMs, movedMsMax), () => alone)
  clearInterval(looking)
}
