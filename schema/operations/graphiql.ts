/** Documents of the GraphiQL page, which the gateway serves. The gateway knows each by the SHA-256 of its text. */
export const graphiqlOperations = {
  refreshSignIn: `mutation GraphiqlRefreshSignIn {
  refreshSignIn {
    accessToken
    expiresAt
  }
}`,
} as const
