/** What every log line of a request shows. The joined fields come from other subgraphs and may be null. */
const capturedRequestFields = `
      id
      method
      path
      status
      code
      endpointHost
      visitorIp
      startedAt
      durationMs
      requestBytes
      responseBytes
      tunnel {
        id
        name
        organization {
          name
        }
      }`

/** Documents of the command line program. The gateway knows each by the SHA-256 of its text. */
export const cliOperations = {
  viewer: `query CliViewer {
  viewer {
    kind
    scopes
    isAdmin
    user {
      name
      email
    }
    organization {
      id
      name
      slug
    }
  }
}`,

  credentialEnd: `query CliCredentialEnd {
  viewer {
    expiresAt
  }
}`,

  status: `query CliStatus {
  viewer {
    kind
    scopes
    isAdmin
    user {
      name
      email
    }
    organization {
      id
      name
      slug
      plan {
        name
      }
      tunnels(first: 100) {
        nodes {
          id
          name
          status
          urls
          region
          connections
        }
        pageInfo {
          hasNextPage
        }
      }
    }
  }
  regions {
    id
    name
    available
  }
}`,

  tunnels: `query CliTunnels($first: Int!, $after: String) {
  viewer {
    organization {
      id
      name
      tunnels(first: $first, after: $after) {
        nodes {
          id
          name
          kind
          endpointHost
          urls
          status
          region
          createdAt
          startedAt
          onlineSince
          connections
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}`,

  requests: `query CliRequests($first: Int!) {
  viewer {
    organization {
      id
      requests(first: $first) {
        edges {
          cursor
          node {${capturedRequestFields.replaceAll('\n', '\n      ')}
          }
        }
      }
    }
  }
}`,

  tunnelRequests: `query CliTunnelRequests($tunnelId: ID!, $first: Int!) {
  tunnel(id: $tunnelId) {
    id
    requests(first: $first) {
      edges {
        cursor
        node {${capturedRequestFields.replaceAll('\n', '\n    ')}
        }
      }
    }
  }
}`,

  requestCaptured: `subscription CliRequestCaptured($organizationId: ID!, $tunnelId: ID, $after: String) {
  requestCaptured(organizationId: $organizationId, tunnelId: $tunnelId, after: $after) {
    cursor
    missed
    request {${capturedRequestFields}
    }
  }
}`,

  startTunnel: `mutation CliStartTunnel($input: StartTunnelInput!) {
  startTunnel(input: $input) {
    urls
    tunnel {
      id
      name
      kind
      port
      endpointHost
      region
      hostHeader
      policy {
        basicAuthUsers
      }
      organization {
        id
        name
      }
    }
    grant {
      agentToken
      expiresAt
      epoch
      hostHeader
      edges {
        url
        region
      }
    }
  }
}`,

  updateTunnel: `mutation CliUpdateTunnel($tunnelId: ID!, $input: TunnelUpdateInput!) {
  updateTunnel(id: $tunnelId, input: $input) {
    id
    hostHeader
  }
}`,

  renewAgentToken: `mutation CliRenewAgentToken($tunnelId: ID!, $epoch: Int!) {
  renewAgentToken(tunnelId: $tunnelId, epoch: $epoch) {
    agentToken
    expiresAt
    epoch
    hostHeader
    edges {
      url
      region
    }
  }
}`,
} as const
