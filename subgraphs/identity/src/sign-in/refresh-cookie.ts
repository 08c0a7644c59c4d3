export interface RefreshCookie {
  readonly name: string
  /** The whole `Set-Cookie` value: with a token until it expires, without one to remove the cookie. */
  header(token: { text: string; expiresAt: Date } | null, now: Date): string
}

/** `__Host-` and `Secure` need https, which a laptop's console does not have. */
export function createRefreshCookie(consoleOrigin: string): RefreshCookie {
  const secure = new URL(consoleOrigin).protocol === 'https:'
  const name = secure ? '__Host-sluice_refresh' : 'sluice_refresh'
  const attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
  return {
    name,
    header(token, now) {
      const seconds = token
        ? Math.max(0, Math.ceil((token.expiresAt.getTime() - now.getTime()) / 1000))
        : 0
      return `${name}=${token?.text ?? ''}; Max-Age=${seconds}; ${attributes}`
    },
  }
}
