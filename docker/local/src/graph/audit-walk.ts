/** Mutations that an owner may run in the walk and that leave no entry of theirs, with the reason. */
export const unaudited: Record<string, string> = {
  'Mutation.renewAgentToken': 'hands out again what a start has granted',
  'Mutation.verifyCustomDomain':
    'nobody answers in the walk: a check that proves nothing changes nothing',
  'Mutation.removeDomainCertificate': 'the domain of the walk has none: nothing changes',
  'Mutation.sendTestWebhook': 'sends a message and changes nothing; the log of deliveries has it',
  'Mutation.replayWebhookDeliveries': 'sends again what was sent; the log of deliveries has it',
}
