/** Documents of the GraphiQL page, which the gateway serves. The gateway knows each by the SHA-256 of its text. */
export const graphiqlOperations = {
  refreshSignIn: `mutation GraphiqlRefreshSignIn {
  refreshSignIn {
    accessToken
    expiresAt
  }
}`,

  /** What the page of admins opens with: one query that four subgraphs answer. */
  firstQuery: `query Organizations {
  me {
    memberships {
      role
      organization {
        id
        name
        plan {
          name
        }
        tunnels(first: 5) {
          nodes {
            name
            status
            urls
            customDomains {
              domain
              status
            }
          }
        }
      }
    }
  }
}`,
} as const
