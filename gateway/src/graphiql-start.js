/*
 * Runs on /graphiql. Trades the console's refresh cookie for an access token, fetches GraphiQL with it (the gateway gives
 * it to admins alone) and keeps the token fresh while the page is open. Nothing is loaded from anywhere else.
 */
const refreshDocument = document.currentScript.dataset.document
const refreshLeadMs = 30_000
// GraphiQL's own `fetch` asks for the token that this one refreshes.
const plainFetch = self.fetch.bind(self)
let grant = null
let asking = null

/** The same lock as the console's tabs: a refresh token that two use at the same time ends the sign-in of both. */
function inTurn(run) {
  return 'locks' in navigator ? navigator.locks.request('sluice-sign-in', run) : run()
}

async function refresh() {
  const response = await plainFetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: refreshDocument }),
  })
  const { data, errors } = await response.json()
  if (!data?.refreshSignIn) throw new Error(errors?.[0]?.message ?? 'The gateway did not answer.')
  grant = data.refreshSignIn
}

async function authorization() {
  if (!grant || Date.parse(grant.expiresAt) - Date.now() < refreshLeadMs) {
    asking ??= inTurn(refresh).finally(() => (asking = null))
    await asking
  }
  return `Bearer ${grant.accessToken}`
}

async function start() {
  const response = await plainFetch('/graphiql/app.js', {
    headers: { authorization: await authorization() },
  })
  if (!response.ok) throw new Error('GraphiQL is for admins of the platform.')
  // Read by the app when it sends anything, so that a token that was replaced meanwhile is never used.
  self.sluiceAuthorization = authorization
  const script = document.createElement('script')
  script.src = URL.createObjectURL(await response.blob())
  document.body.append(script)
}

start().catch((error) => {
  document.querySelector('#root').innerHTML =
    '<p id="refused"></p><p><a href="/">Sign in at the console</a>, then open this page again.</p>'
  document.querySelector('#refused').textContent = error.message
})
