/** Headers of every answer that a browser might show. */
export function securityHeaders(consoleOrigin: string): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=()',
    ...(consoleOrigin.startsWith('https:')
      ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }
      : {}),
  }
}

/**
 * The content security policy of a page of ours: its own files and its own origin, nothing else, and no script in the
 * page itself. `blobs` lets a page run what it fetched with a credential: no tag can send one.
 */
export function contentSecurityPolicy(
  consoleOrigin: string,
  options: { blobs?: boolean } = {},
): string {
  // Not every browser takes 'self' to cover WebSockets.
  const sockets = consoleOrigin.replace(/^http/, 'ws')
  const blobs = options.blobs ? ' blob:' : ''
  return [
    "default-src 'self'",
    `script-src 'self'${blobs}`,
    // Mantine and Monaco write style elements and attributes.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    `connect-src 'self' ${sockets}`,
    `worker-src 'self'${blobs}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}
