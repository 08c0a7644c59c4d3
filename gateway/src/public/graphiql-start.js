/*
 * Runs on /public/graphiql. Asks for an API key, fetches GraphiQL with it (the gateway gives it to keys alone) and sends it
 * with every operation. The key is stored nowhere. What stands behind # in the address is the first query.
 */
const form = document.querySelector('form')

async function openApp() {
  const key = form.querySelector('input').value.trim()
  const authorization = `Bearer ${key}`
  const response = await fetch('/public/graphiql/app.js', { headers: { authorization } }).catch(
    () => null,
  )
  if (!response?.ok) {
    const problem = await response?.json().catch(() => null)
    form.querySelector('[role=alert]').textContent =
      problem?.title ?? 'The server does not answer. Try again.'
    return
  }
  // Read by the app when it sends anything.
  self.sluiceAuthorization = async () => authorization
  if (location.hash !== '') self.sluiceQuery = decodeURIComponent(location.hash.slice(1))
  const script = document.createElement('script')
  script.src = URL.createObjectURL(await response.blob())
  document.body.append(script)
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  void openApp()
})
