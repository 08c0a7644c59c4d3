import { useCallback, useEffect, useState } from 'react'

const key = 'sluice-invitation'

/**
 * The token of the link. It leaves the address bar at once; this tab keeps it until it is used, because signing in may lead
 * away and back.
 */
export function useInvitationToken() {
  const [token] = useState(() => location.hash.slice(1) || (sessionStorage.getItem(key) ?? ''))
  useEffect(() => {
    sessionStorage.setItem(key, token)
    if (location.hash) history.replaceState(history.state, '', location.pathname)
  }, [token])
  const forget = useCallback(() => sessionStorage.removeItem(key), [])
  return { token, forget }
}
