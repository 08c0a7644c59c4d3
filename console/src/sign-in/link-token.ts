import { useEffect, useState } from 'react'

/** The token of a mailed link. It leaves the address bar at once, so that neither history nor a shared screen keeps it. */
export function useLinkToken(): string {
  const [token] = useState(() => location.hash.slice(1))
  useEffect(() => {
    if (location.hash) history.replaceState(history.state, '', location.pathname + location.search)
  }, [])
  return token
}
