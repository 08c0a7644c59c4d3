import type { Catalogue } from './catalogue.ts'

export const sessionErrors = {
  SLUICE_AGENT_TOKEN_INVALID: {
    status: 401,
    title: 'The relay refused the agent token.',
    cause: 'It has expired, was revoked, or is for another relay.',
    fix: 'The agent asks for a new one by itself; if it stays, run `sluice login`.',
  },
  SLUICE_PROTOCOL_UNSUPPORTED: {
    status: 426,
    title: 'Agent and relay do not speak the same protocol version.',
    cause: 'The relay supports versions {supported}.',
    fix: 'Update the agent.',
  },
  SLUICE_SESSION_REPLACED: {
    status: 409,
    title: 'Another agent took over this tunnel.',
    cause: 'The same owner started the tunnel again elsewhere.',
    fix: 'Stop one of the two, or give it another --name.',
  },
  SLUICE_SESSION_REVOKED: {
    status: 403,
    title: 'The tunnel was stopped.',
    cause: 'It was stopped, deleted or suspended, or the authtoken was revoked.',
    fix: 'Look at the tunnel in the console, then start it again.',
  },
  SLUICE_PORT_TAKEN: {
    status: 409,
    title: 'Port {port} is taken.',
    cause: 'Another tunnel has it, or another program on the relay’s machine listens there.',
    fix: 'Ask for another port, or leave --port out to be given a free one.',
  },
  SLUICE_PORT_OUTSIDE: {
    status: 400,
    title: 'Port {port} is not one that tunnels may have.',
    cause: 'The operator gives tunnels these ports: {ports}.',
    fix: 'Ask for one of them, or leave --port out to be given a free one.',
  },
  SLUICE_PORTS_EXHAUSTED: {
    status: 503,
    title: 'All {protocol} ports are taken.',
    cause: 'Each of the {max} public ports of this server belongs to a tunnel.',
    fix: 'Delete a tunnel that you no longer need, or ask the operator for more ports.',
  },
  SLUICE_TUNNEL_KIND_UNAVAILABLE: {
    status: 403,
    title: 'You may not open {kind} tunnels.',
    cause: 'The plan of the organization has none, or the operator has switched them off.',
    fix: 'Use `sluice http`, or choose a plan that has them.',
  },
  SLUICE_TUNNEL_KIND_MISMATCH: {
    status: 409,
    title: 'The tunnel {name} is one for {kind}.',
    cause: 'A tunnel keeps the kind that it was made with.',
    fix: 'Use another name, or delete the tunnel first.',
  },
  SLUICE_SESSIONS_MAX: {
    status: 503,
    title: 'The relay is full.',
    cause: 'It holds as many agent sessions as it may.',
    fix: 'The agent tries another relay by itself.',
  },
} as const satisfies Catalogue
