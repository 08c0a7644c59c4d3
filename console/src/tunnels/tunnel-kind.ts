import type { TunnelKind } from '../gql/graphql.ts'

interface KindWords {
  readonly label: string
  /** What it is for, under the choice. */
  readonly about: string
  /** The command without a name. */
  readonly command: string
  readonly hasPort: boolean
}

export const tunnelKinds: Record<TunnelKind, KindWords> = {
  HTTP: {
    label: 'HTTP',
    about: 'Web sites, APIs, webhooks and WebSockets, under a host name.',
    command: 'sluice http 3000',
    hasPort: false,
  },
  TCP: {
    label: 'TCP',
    about: 'Databases, SSH and other protocols, at a public port.',
    command: 'sluice tcp 5432',
    hasPort: true,
  },
  TLS: {
    label: 'TLS',
    about: 'A service with its own certificate: the relay never sees plain bytes.',
    command: 'sluice tls 8443',
    hasPort: false,
  },
  UDP: {
    label: 'UDP',
    about: 'Games, DNS and other datagrams, at a public port.',
    command: 'sluice udp 53',
    hasPort: true,
  },
}

/** What brings a tunnel online. */
export function commandOf({ kind, name }: { kind: TunnelKind; name: string }): string {
  return `${tunnelKinds[kind].command} --name ${name}`
}

/** Whether a browser can open it. */
export function isWebAddress(url: string): boolean {
  return url.startsWith('http')
}
