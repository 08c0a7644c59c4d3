/** Mutations of the walk that change a row and leave no entry, with the reason. */
export const unaudited: Record<string, string> = {
  'Mutation.verifyCustomDomain':
    'notes when DNS was asked; a proof is an entry, and nobody answers here',
  'Mutation.verifyEmailDomain':
    'notes when DNS was asked; a proof is an entry, and nobody answers here',
  'Mutation.startSsoTest': 'keeps a question to the provider; what came of it is the entry',
  'Mutation.sendTestWebhook': 'sends a message; the log of deliveries has it',
  'Mutation.replayWebhookDeliveries': 'sends again what was sent; the log of deliveries has it',
  'Mutation.attachCustomDomain': 'the domain of the walk is attached to that tunnel already',
  'Mutation.detachCustomDomain': 'its tunnel is deleted before, and the domain detached with it',
  'Mutation.stopTunnel': 'no agent has started the tunnel of the walk',
  'Mutation.setSsoEnforcement': 'it is off already',
  'Mutation.switchAuditStream': 'the stream of the walk is off already',
  'Mutation.updateWebhookEndpoint': 'nothing is given to change',
  'Mutation.revokeApiKey': 'it was rotated before, without overlap',
  'Mutation.revokeAuthtoken': 'it was rotated before, without overlap',
}

/**
 * Mutations that take no id, and so are not in the walk: what they record, or why they record nothing. Tests of their own show
 * the entries.
 */
export const withoutIds: Record<string, { action: string } | { nothing: string }> = {
  acceptInvitation: { action: 'invitation.accepted' },
  addPasskey: { action: 'user.passkey-added' },
  changeEmail: { action: 'user.email-change-asked' },
  changePassword: { action: 'user.password-changed' },
  confirmEmail: { action: 'user.email-verified' },
  confirmSecondFactor: { action: 'user.second-factor-on' },
  createOrganization: { action: 'organization.created' },
  deleteAccount: { action: 'user.deleted' },
  endOtherSignIns: { action: 'sign-in.ended' },
  finishSignIn: { action: 'sign-in.started' },
  liftNetworkBlock: { action: 'network.unblocked' },
  reauthenticate: { action: 'sign-in.proved' },
  reauthenticateWithPasskey: { action: 'sign-in.proved' },
  refreshSignIn: {
    nothing: 'goes on with a sign-in; only a token that was used twice is an entry',
  },
  removeSecondFactor: { action: 'user.second-factor-off' },
  renewRecoveryCodes: { action: 'user.recovery-codes-renewed' },
  requestPasswordReset: { nothing: 'anybody may ask, and nothing changes until the link is used' },
  resetPassword: { action: 'user.password-reset' },
  rotateInternalKeys: { action: 'internal-key.rotated' },
  rotateSigningKeys: { action: 'signing-key.rotated' },
  sendEmailVerification: { action: 'user.email-verification-asked' },
  signIn: { action: 'sign-in.started' },
  signInWithPasskey: { action: 'sign-in.started' },
  signOut: { action: 'sign-in.ended' },
  signOutOfSso: { action: 'sign-in.ended' },
  signUp: { action: 'user.signed-up' },
  startPasskey: { nothing: 'asks the device a question' },
  startPasskeyProof: { nothing: 'asks the device a question' },
  startPasskeySignIn: { nothing: 'asks the device a question' },
  startSecondFactor: { action: 'user.second-factor-started' },
  startSocialLink: { nothing: 'leads to the provider; coming back is the entry' },
  startSocialProof: { nothing: 'leads to the provider; coming back is the entry' },
  startSocialSignIn: { nothing: 'leads to the provider; coming back is the entry' },
  suspendHost: { action: 'host.suspended' },
  unsuspendHost: { action: 'host.unsuspended' },
}
