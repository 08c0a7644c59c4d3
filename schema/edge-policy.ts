/** What the words of an edge policy may be, apart from `claims.ts` so that the command line need not load a parser. */

export const webhookProviders = [
  'stripe',
  'github',
  'slack',
  'shopify',
  'razorpay',
  'paypal',
] as const

const edgeHeaders = new Set(
  (
    'host connection content-length transfer-encoding expect upgrade keep-alive te trailer http2-settings forwarded ' +
    'proxy-connection proxy-authorization proxy-authenticate x-real-ip x-client-ip x-cluster-client-ip true-client-ip ' +
    'x-original-host x-original-forwarded-for'
  ).split(' '),
)

/** Whether a header belongs to the edge or ends there, in any spelling: no policy adds or removes it. */
export function isEdgeHeader(name: string): boolean {
  const folded = name.toLowerCase().replaceAll('_', '-')
  return edgeHeaders.has(folded) || /^(?:x-forwarded|sluice)-/.test(folded)
}
