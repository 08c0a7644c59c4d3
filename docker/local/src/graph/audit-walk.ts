/** Mutations that an owner may run in the walk and that leave no entry of theirs, with the reason. */
export const unaudited: Record<string, string> = {
  'Mutation.renewAgentToken': 'hands out again what a start has granted',
  'Mutation.verifyCustomDomain':
    'nobody answers in the walk: a check that proves nothing changes nothing',
  'Mutation.removeDomainCertificate': 'the domain of the walk has none: nothing changes',
  'Mutation.sendTestWebhook': 'sends a message and changes nothing; the log of deliveries has it',
  'Mutation.replayWebhookDeliveries': 'sends again what was sent; the log of deliveries has it',
  'Mutation.attachCustomDomain': 'the domain of the walk is attached to that tunnel already',
  'Mutation.detachCustomDomain': 'its tunnel is deleted before, and the domain detached with it',
  'Mutation.stopTunnel': 'no agent has started the tunnel of the walk',
  'Mutation.setSsoEnforcement': 'it is off already',
  'Mutation.switchAuditStream': 'the stream of the walk is off already',
  'Mutation.updateWebhookEndpoint': 'nothing is given to change',
  'Mutation.verifyEmailDomain':
    'nobody answers in the walk: a check that proves nothing changes nothing',
  'Mutation.revokeApiKey': 'it was rotated before, without overlap',
  'Mutation.revokeAuthtoken': 'it was rotated before, without overlap',
}
