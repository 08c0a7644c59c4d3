/** WebSocket close codes of a session: for logs. What to act on is the code in REFUSE. */
export const closeCode = {
  done: 1000,
  drained: 1001,
  violation: 4400,
  agentToken: 4401,
  revoked: 4403,
  helloTimeout: 4408,
  replaced: 4409,
  version: 4426,
  full: 4503,
} as const
