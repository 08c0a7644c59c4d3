/* eslint-disable */
import * as types from './graphql';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "mutation AcceptInvitation($token: String!) {\n  acceptInvitation(token: $token) {\n    id\n    slug\n    __typename\n  }\n}": typeof types.AcceptInvitationDocument,
    "query AccountSecurity {\n  me {\n    id\n    email\n    emailVerifiedAt\n    __typename\n  }\n  secondFactor {\n    confirmedAt\n    recoveryCodesLeft\n    __typename\n  }\n  hasPassword\n  passkeys {\n    id\n    name\n    isBackedUp\n    createdAt\n    lastUsedAt\n    __typename\n  }\n  socialProviders\n  socialLinks {\n    id\n    provider\n    email\n    linkedAt\n    lastUsedAt\n    __typename\n  }\n  signIns {\n    id\n    device\n    ip\n    startedAt\n    lastUsedAt\n    isCurrent\n    __typename\n  }\n}": typeof types.AccountSecurityDocument,
    "mutation AddCustomDomain($organizationId: ID!, $domain: String!) {\n  addCustomDomain(organizationId: $organizationId, domain: $domain) {\n    id\n    domain\n    __typename\n  }\n}": typeof types.AddCustomDomainDocument,
    "mutation AddPasskey($name: String!, $response: String!) {\n  addPasskey(name: $name, response: $response) {\n    id\n    name\n    __typename\n  }\n}": typeof types.AddPasskeyDocument,
    "mutation AttachCustomDomain($id: ID!, $tunnelId: ID!) {\n  attachCustomDomain(id: $id, tunnelId: $tunnelId) {\n    id\n    __typename\n  }\n}": typeof types.AttachCustomDomainDocument,
    "query AuditEntries($organizationId: ID!, $action: String, $after: String) {\n  organization(id: $organizationId) {\n    id\n    auditEntries(first: 50, after: $after, action: $action) {\n      nodes {\n        id\n        action\n        actorKind\n        actorName\n        actor {\n          id\n          name\n          __typename\n        }\n        targetType\n        targetId\n        details\n        ip\n        at\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": typeof types.AuditEntriesDocument,
    "query Authtokens($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    authtokens(first: 25, after: $after) {\n      nodes {\n        id\n        name\n        prefix\n        scopes\n        createdAt\n        createdBy {\n          id\n          name\n          __typename\n        }\n        lastUsedAt\n        lastUsedIp\n        revokedAt\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": typeof types.AuthtokensDocument,
    "mutation CaptureBodies($id: ID!, $input: TunnelUpdateInput!) {\n  updateTunnel(id: $id, input: $input) {\n    id\n    captureBodies\n    __typename\n  }\n}": typeof types.CaptureBodiesDocument,
    "query CapturedRequest($id: ID!) {\n  capturedRequest(id: $id) {\n    id\n    method\n    path\n    status\n    code\n    protocol\n    endpointHost\n    visitorIp\n    startedAt\n    durationMs\n    firstByteMs\n    requestBytes\n    responseBytes\n    requestHeaders {\n      name\n      value\n      __typename\n    }\n    responseHeaders {\n      name\n      value\n      __typename\n    }\n    tunnel {\n      id\n      name\n      __typename\n    }\n    __typename\n  }\n}": typeof types.CapturedRequestDocument,
    "mutation ChangeEdgePolicy($id: ID!, $input: TunnelUpdateInput!) {\n  updateTunnel(id: $id, input: $input) {\n    id\n    hostHeader\n    policy {\n      basicAuthUsers\n      allowIps\n      denyIps\n      requestRate {\n        perSecond\n        burst\n        __typename\n      }\n      bandwidthBytesPerSecond\n      requestHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      responseHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      compression\n      webhookProvider\n      visitorCa\n      __typename\n    }\n    __typename\n  }\n}": typeof types.ChangeEdgePolicyDocument,
    "mutation ChangeEmail($email: String!) {\n  changeEmail(email: $email)\n}": typeof types.ChangeEmailDocument,
    "mutation ChangeMemberRole($memberId: ID!, $role: Role, $customRoleId: ID) {\n  changeMemberRole(memberId: $memberId, role: $role, customRoleId: $customRoleId) {\n    id\n    role\n    customRole {\n      id\n      name\n      __typename\n    }\n    __typename\n  }\n}": typeof types.ChangeMemberRoleDocument,
    "mutation ChangePassword($currentPassword: String!, $password: String!) {\n  changePassword(currentPassword: $currentPassword, password: $password)\n}": typeof types.ChangePasswordDocument,
    "mutation ChangePlan($organizationId: ID!, $planId: ID!) {\n  changePlan(organizationId: $organizationId, planId: $planId) {\n    id\n    __typename\n  }\n}": typeof types.ChangePlanDocument,
    "mutation ConfirmEmail($token: String!) {\n  confirmEmail(token: $token)\n}": typeof types.ConfirmEmailDocument,
    "mutation ConfirmSecondFactor($code: String!) {\n  confirmSecondFactor(code: $code)\n}": typeof types.ConfirmSecondFactorDocument,
    "mutation CreateAuthtoken($organizationId: ID!, $name: String!, $scopes: [AuthtokenScope!]) {\n  createAuthtoken(organizationId: $organizationId, name: $name, scopes: $scopes) {\n    secret\n    authtoken {\n      id\n      name\n      __typename\n    }\n    __typename\n  }\n}": typeof types.CreateAuthtokenDocument,
    "mutation CreateOrganization($name: String!) {\n  createOrganization(name: $name) {\n    id\n    name\n    slug\n    __typename\n  }\n}": typeof types.CreateOrganizationDocument,
    "mutation CreateRole($input: CreateRoleInput!) {\n  createRole(input: $input) {\n    id\n    __typename\n  }\n}": typeof types.CreateRoleDocument,
    "mutation CreateTunnel($organizationId: ID!, $input: TunnelInput!) {\n  createTunnel(organizationId: $organizationId, input: $input) {\n    id\n    name\n    kind\n    urls\n    __typename\n  }\n}": typeof types.CreateTunnelDocument,
    "query CustomDomains($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    entitlements {\n      maxCustomDomains\n      __typename\n    }\n    customDomains(first: 25, after: $after) {\n      nodes {\n        id\n        domain\n        status\n        createdAt\n        verifiedAt\n        lastCheckedAt\n        lastError\n        dnsRecords {\n          type\n          name\n          value\n          purpose\n          found\n          __typename\n        }\n        tls {\n          status\n          expiresAt\n          issuer\n          error\n          checkedAt\n          __typename\n        }\n        certificate {\n          source\n          fingerprint\n          issuer\n          names\n          expiresAt\n          __typename\n        }\n        tunnel {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": typeof types.CustomDomainsDocument,
    "mutation DeleteAccount($email: String!) {\n  deleteAccount(email: $email)\n}": typeof types.DeleteAccountDocument,
    "mutation DeleteRole($input: DeleteRoleInput!) {\n  deleteRole(input: $input)\n}": typeof types.DeleteRoleDocument,
    "mutation DeleteTunnel($id: ID!) {\n  deleteTunnel(id: $id)\n}": typeof types.DeleteTunnelDocument,
    "mutation DetachCustomDomain($id: ID!) {\n  detachCustomDomain(id: $id) {\n    id\n    __typename\n  }\n}": typeof types.DetachCustomDomainDocument,
    "mutation EndOtherSignIns {\n  endOtherSignIns\n}": typeof types.EndOtherSignInsDocument,
    "mutation EndSignIn($id: ID!) {\n  endSignIn(id: $id)\n}": typeof types.EndSignInDocument,
    "mutation ExportAccount {\n  exportAccount\n}": typeof types.ExportAccountDocument,
    "mutation FinishSignIn($ticket: String!, $code: String!) {\n  finishSignIn(ticket: $ticket, code: $code) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}": typeof types.FinishSignInDocument,
    "query GetStarted($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    tunnels(first: 20) {\n      nodes {\n        id\n        name\n        status\n        urls\n        __typename\n      }\n      __typename\n    }\n    requests(first: 5) {\n      nodes {\n        id\n        method\n        path\n        status\n        durationMs\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": typeof types.GetStartedDocument,
    "query InvitationOffer($token: String!) {\n  invitation(token: $token) {\n    organizationName\n    email\n    roleName\n    hasAccount\n    expiresAt\n    __typename\n  }\n}": typeof types.InvitationOfferDocument,
    "query Invitations($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    invitations(first: 25, after: $after) {\n      nodes {\n        id\n        email\n        role\n        sentAt\n        expiresAt\n        isExpired\n        customRole {\n          id\n          name\n          __typename\n        }\n        invitedBy {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": typeof types.InvitationsDocument,
    "mutation InviteMember($input: InviteMemberInput!) {\n  inviteMember(input: $input) {\n    id\n    __typename\n  }\n}": typeof types.InviteMemberDocument,
    "query Mails($after: String) {\n  mails(first: 25, after: $after) {\n    nodes {\n      id\n      kind\n      address\n      state\n      createdAt\n      attempts\n      lastError\n      subject\n      text\n      __typename\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n      __typename\n    }\n    __typename\n  }\n}": typeof types.MailsDocument,
    "query Me {\n  me {\n    id\n    email\n    name\n    isAdmin\n    memberships {\n      role\n      customRole {\n        id\n        name\n        __typename\n      }\n      organization {\n        id\n        name\n        slug\n        viewerPermissions\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": typeof types.MeDocument,
    "query Members($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    viewerRole\n    entitlements {\n      maxMembers\n      __typename\n    }\n    members(first: 25, after: $after) {\n      nodes {\n        id\n        role\n        customRole {\n          id\n          name\n          __typename\n        }\n        joinedAt\n        user {\n          id\n          name\n          email\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": typeof types.MembersDocument,
    "query OrganizationRequests($organizationId: ID!, $filter: RequestFilter, $after: String) {\n  organization(id: $organizationId) {\n    id\n    requests(first: 50, after: $after, filter: $filter) {\n      nodes {\n        id\n        method\n        path\n        status\n        code\n        endpointHost\n        startedAt\n        durationMs\n        responseBytes\n        visitorIp\n        tunnel {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": typeof types.OrganizationRequestsDocument,
    "query PlanAndUsage($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    plan {\n      id\n      name\n      __typename\n    }\n    planSubscription {\n      id\n      startedAt\n      periodEnd\n      __typename\n    }\n    entitlements {\n      maxTunnels\n      maxConcurrentConnections\n      maxCustomDomains\n      portTunnels\n      maxMembers\n      requestsPerPeriod\n      bytesPerPeriod\n      requestLogDays\n      __typename\n    }\n    usage {\n      periodStart\n      periodEnd\n      tunnels {\n        used\n        limit\n        __typename\n      }\n      requests {\n        used\n        limit\n        __typename\n      }\n      bytes {\n        used\n        limit\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n  plans {\n    id\n    name\n    description\n    monthlyPriceMinor\n    currency\n    entitlements {\n      maxTunnels\n      maxConcurrentConnections\n      maxCustomDomains\n      portTunnels\n      maxMembers\n      requestsPerPeriod\n      bytesPerPeriod\n      requestLogDays\n      __typename\n    }\n    __typename\n  }\n}": typeof types.PlanAndUsageDocument,
    "mutation ReauthenticateWithPasskey($response: String!) {\n  reauthenticateWithPasskey(response: $response)\n}": typeof types.ReauthenticateWithPasskeyDocument,
    "mutation Reauthenticate($password: String!, $code: String) {\n  reauthenticate(password: $password, code: $code)\n}": typeof types.ReauthenticateDocument,
    "mutation RefreshSignIn {\n  refreshSignIn {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}": typeof types.RefreshSignInDocument,
    "mutation RemoveCustomDomain($id: ID!) {\n  removeCustomDomain(id: $id)\n}": typeof types.RemoveCustomDomainDocument,
    "mutation RemoveDomainCertificate($id: ID!) {\n  removeDomainCertificate(id: $id) {\n    id\n    __typename\n  }\n}": typeof types.RemoveDomainCertificateDocument,
    "mutation RemoveMember($memberId: ID!) {\n  removeMember(memberId: $memberId)\n}": typeof types.RemoveMemberDocument,
    "mutation RemovePasskey($id: ID!) {\n  removePasskey(id: $id)\n}": typeof types.RemovePasskeyDocument,
    "mutation RemoveSecondFactor {\n  removeSecondFactor\n}": typeof types.RemoveSecondFactorDocument,
    "mutation RenamePasskey($id: ID!, $name: String!) {\n  renamePasskey(id: $id, name: $name) {\n    id\n    name\n    __typename\n  }\n}": typeof types.RenamePasskeyDocument,
    "mutation RenewRecoveryCodes {\n  renewRecoveryCodes\n}": typeof types.RenewRecoveryCodesDocument,
    "query RequestBodies($id: ID!) {\n  capturedRequest(id: $id) {\n    id\n    requestBody {\n      contentType\n      bytes\n      truncated\n      text\n      base64\n      __typename\n    }\n    responseBody {\n      contentType\n      bytes\n      truncated\n      text\n      base64\n      __typename\n    }\n    __typename\n  }\n}": typeof types.RequestBodiesDocument,
    "subscription RequestCaptured($organizationId: ID!, $after: String) {\n  requestCaptured(organizationId: $organizationId, after: $after) {\n    cursor\n    missed\n    request {\n      id\n      method\n      path\n      status\n      code\n      endpointHost\n      startedAt\n      durationMs\n      responseBytes\n      visitorIp\n      tunnel {\n        id\n        name\n      }\n    }\n  }\n}": typeof types.RequestCapturedDocument,
    "mutation RequestPasswordReset($email: String!) {\n  requestPasswordReset(email: $email)\n}": typeof types.RequestPasswordResetDocument,
    "mutation ResendInvitation($id: ID!) {\n  resendInvitation(id: $id) {\n    id\n    sentAt\n    expiresAt\n    isExpired\n    __typename\n  }\n}": typeof types.ResendInvitationDocument,
    "mutation ResetPassword($token: String!, $password: String!) {\n  resetPassword(token: $token, password: $password)\n}": typeof types.ResetPasswordDocument,
    "mutation RetryMail($id: ID!) {\n  retryMail(id: $id) {\n    id\n    state\n    __typename\n  }\n}": typeof types.RetryMailDocument,
    "mutation RevokeAuthtoken($id: ID!) {\n  revokeAuthtoken(id: $id) {\n    id\n    revokedAt\n    __typename\n  }\n}": typeof types.RevokeAuthtokenDocument,
    "mutation RevokeInvitation($id: ID!) {\n  revokeInvitation(id: $id)\n}": typeof types.RevokeInvitationDocument,
    "query RoleChoices($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    roles {\n      id\n      name\n      description\n      permissions\n      __typename\n    }\n    __typename\n  }\n}": typeof types.RoleChoicesDocument,
    "query Roles($organizationId: ID!) {\n  permissions {\n    name\n    description\n    roles\n    isForOwnersOnly\n    __typename\n  }\n  organization(id: $organizationId) {\n    id\n    roles {\n      id\n      name\n      description\n      permissions\n      memberCount\n      __typename\n    }\n    __typename\n  }\n}": typeof types.RolesDocument,
    "mutation SendEmailVerification {\n  sendEmailVerification\n}": typeof types.SendEmailVerificationDocument,
    "mutation SetDomainCertificate($id: ID!, $chain: String!, $privateKey: String!) {\n  setDomainCertificate(id: $id, chain: $chain, privateKey: $privateKey) {\n    id\n    __typename\n  }\n}": typeof types.SetDomainCertificateDocument,
    "mutation SignInWithPasskey($response: String!) {\n  signInWithPasskey(response: $response) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}": typeof types.SignInWithPasskeyDocument,
    "mutation SignIn($email: String!, $password: String!, $code: String) {\n  signIn(email: $email, password: $password, code: $code) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}": typeof types.SignInDocument,
    "mutation SignOut {\n  signOut\n}": typeof types.SignOutDocument,
    "mutation SignUp($input: SignUpInput!) {\n  signUp(input: $input) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}": typeof types.SignUpDocument,
    "query SocialProviders {\n  socialProviders\n}": typeof types.SocialProvidersDocument,
    "mutation StartPasskeyProof {\n  startPasskeyProof\n}": typeof types.StartPasskeyProofDocument,
    "mutation StartPasskeySignIn {\n  startPasskeySignIn\n}": typeof types.StartPasskeySignInDocument,
    "mutation StartPasskey {\n  startPasskey\n}": typeof types.StartPasskeyDocument,
    "mutation StartSecondFactor {\n  startSecondFactor {\n    secret\n    uri\n    __typename\n  }\n}": typeof types.StartSecondFactorDocument,
    "mutation StartSocialLink($provider: SocialProvider!, $returnTo: String!) {\n  startSocialLink(provider: $provider, returnTo: $returnTo)\n}": typeof types.StartSocialLinkDocument,
    "mutation StartSocialProof($provider: SocialProvider!, $returnTo: String!, $code: String) {\n  startSocialProof(provider: $provider, returnTo: $returnTo, code: $code)\n}": typeof types.StartSocialProofDocument,
    "mutation StartSocialSignIn($provider: SocialProvider!, $returnTo: String!) {\n  startSocialSignIn(provider: $provider, returnTo: $returnTo)\n}": typeof types.StartSocialSignInDocument,
    "mutation StopTunnel($id: ID!) {\n  stopTunnel(id: $id) {\n    id\n    status\n    __typename\n  }\n}": typeof types.StopTunnelDocument,
    "subscription TrafficEvents($tunnelId: ID!) {\n  trafficEvents(tunnelId: $tunnelId) {\n    cursor\n    missed\n    request {\n      id\n      method\n      path\n      status\n      code\n      protocol\n      endpointHost\n      visitorIp\n      startedAt\n      durationMs\n      firstByteMs\n      requestBytes\n      responseBytes\n      requestHeaders {\n        name\n        value\n      }\n      responseHeaders {\n        name\n        value\n      }\n    }\n    tunnel {\n      id\n      name\n    }\n  }\n}": typeof types.TrafficEventsDocument,
    "query TunnelChoices($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    tunnels(first: 100) {\n      nodes {\n        id\n        name\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": typeof types.TunnelChoicesDocument,
    "query TunnelRequests($tunnelId: ID!, $filter: RequestFilter, $after: String) {\n  tunnel(id: $tunnelId) {\n    id\n    name\n    requests(first: 50, after: $after, filter: $filter) {\n      nodes {\n        id\n        method\n        path\n        status\n        code\n        endpointHost\n        startedAt\n        durationMs\n        responseBytes\n        visitorIp\n        tunnel {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": typeof types.TunnelRequestsDocument,
    "subscription TunnelStatusChanges($organizationId: ID!) {\n  tunnelStatus(organizationId: $organizationId) {\n    tunnelId\n    status\n    at\n    tunnel {\n      id\n      name\n      urls\n      connections\n      onlineSince\n    }\n  }\n}": typeof types.TunnelStatusChangesDocument,
    "query Tunnel($id: ID!) {\n  tunnel(id: $id) {\n    id\n    name\n    kind\n    endpointHost\n    urls\n    status\n    region\n    createdAt\n    startedAt\n    onlineSince\n    connections\n    hostHeader\n    captureBodies\n    policy {\n      basicAuthUsers\n      allowIps\n      denyIps\n      requestRate {\n        perSecond\n        burst\n        __typename\n      }\n      bandwidthBytesPerSecond\n      requestHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      responseHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      compression\n      webhookProvider\n      visitorCa\n      __typename\n    }\n    owner {\n      id\n      name\n      email\n      __typename\n    }\n    organization {\n      id\n      slug\n      __typename\n    }\n    customDomains {\n      id\n      domain\n      status\n      tls {\n        status\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": typeof types.TunnelDocument,
    "query Tunnels($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    entitlements {\n      maxTunnels\n      __typename\n    }\n    tunnels(first: 25, after: $after) {\n      nodes {\n        id\n        name\n        kind\n        endpointHost\n        urls\n        status\n        region\n        connections\n        onlineSince\n        createdAt\n        owner {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": typeof types.TunnelsDocument,
    "mutation UnlinkSocial($id: ID!) {\n  unlinkSocial(id: $id)\n}": typeof types.UnlinkSocialDocument,
    "mutation UpdateRole($input: UpdateRoleInput!) {\n  updateRole(input: $input) {\n    id\n    name\n    description\n    permissions\n    __typename\n  }\n}": typeof types.UpdateRoleDocument,
    "mutation VerifyCustomDomain($id: ID!) {\n  verifyCustomDomain(id: $id) {\n    id\n    domain\n    status\n    lastError\n    __typename\n  }\n}": typeof types.VerifyCustomDomainDocument,
    "query WaysToProve {\n  hasPassword\n  passkeys {\n    id\n    __typename\n  }\n  socialLinks {\n    id\n    provider\n    __typename\n  }\n}": typeof types.WaysToProveDocument,
};
const documents: Documents = {
    "mutation AcceptInvitation($token: String!) {\n  acceptInvitation(token: $token) {\n    id\n    slug\n    __typename\n  }\n}": types.AcceptInvitationDocument,
    "query AccountSecurity {\n  me {\n    id\n    email\n    emailVerifiedAt\n    __typename\n  }\n  secondFactor {\n    confirmedAt\n    recoveryCodesLeft\n    __typename\n  }\n  hasPassword\n  passkeys {\n    id\n    name\n    isBackedUp\n    createdAt\n    lastUsedAt\n    __typename\n  }\n  socialProviders\n  socialLinks {\n    id\n    provider\n    email\n    linkedAt\n    lastUsedAt\n    __typename\n  }\n  signIns {\n    id\n    device\n    ip\n    startedAt\n    lastUsedAt\n    isCurrent\n    __typename\n  }\n}": types.AccountSecurityDocument,
    "mutation AddCustomDomain($organizationId: ID!, $domain: String!) {\n  addCustomDomain(organizationId: $organizationId, domain: $domain) {\n    id\n    domain\n    __typename\n  }\n}": types.AddCustomDomainDocument,
    "mutation AddPasskey($name: String!, $response: String!) {\n  addPasskey(name: $name, response: $response) {\n    id\n    name\n    __typename\n  }\n}": types.AddPasskeyDocument,
    "mutation AttachCustomDomain($id: ID!, $tunnelId: ID!) {\n  attachCustomDomain(id: $id, tunnelId: $tunnelId) {\n    id\n    __typename\n  }\n}": types.AttachCustomDomainDocument,
    "query AuditEntries($organizationId: ID!, $action: String, $after: String) {\n  organization(id: $organizationId) {\n    id\n    auditEntries(first: 50, after: $after, action: $action) {\n      nodes {\n        id\n        action\n        actorKind\n        actorName\n        actor {\n          id\n          name\n          __typename\n        }\n        targetType\n        targetId\n        details\n        ip\n        at\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": types.AuditEntriesDocument,
    "query Authtokens($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    authtokens(first: 25, after: $after) {\n      nodes {\n        id\n        name\n        prefix\n        scopes\n        createdAt\n        createdBy {\n          id\n          name\n          __typename\n        }\n        lastUsedAt\n        lastUsedIp\n        revokedAt\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": types.AuthtokensDocument,
    "mutation CaptureBodies($id: ID!, $input: TunnelUpdateInput!) {\n  updateTunnel(id: $id, input: $input) {\n    id\n    captureBodies\n    __typename\n  }\n}": types.CaptureBodiesDocument,
    "query CapturedRequest($id: ID!) {\n  capturedRequest(id: $id) {\n    id\n    method\n    path\n    status\n    code\n    protocol\n    endpointHost\n    visitorIp\n    startedAt\n    durationMs\n    firstByteMs\n    requestBytes\n    responseBytes\n    requestHeaders {\n      name\n      value\n      __typename\n    }\n    responseHeaders {\n      name\n      value\n      __typename\n    }\n    tunnel {\n      id\n      name\n      __typename\n    }\n    __typename\n  }\n}": types.CapturedRequestDocument,
    "mutation ChangeEdgePolicy($id: ID!, $input: TunnelUpdateInput!) {\n  updateTunnel(id: $id, input: $input) {\n    id\n    hostHeader\n    policy {\n      basicAuthUsers\n      allowIps\n      denyIps\n      requestRate {\n        perSecond\n        burst\n        __typename\n      }\n      bandwidthBytesPerSecond\n      requestHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      responseHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      compression\n      webhookProvider\n      visitorCa\n      __typename\n    }\n    __typename\n  }\n}": types.ChangeEdgePolicyDocument,
    "mutation ChangeEmail($email: String!) {\n  changeEmail(email: $email)\n}": types.ChangeEmailDocument,
    "mutation ChangeMemberRole($memberId: ID!, $role: Role, $customRoleId: ID) {\n  changeMemberRole(memberId: $memberId, role: $role, customRoleId: $customRoleId) {\n    id\n    role\n    customRole {\n      id\n      name\n      __typename\n    }\n    __typename\n  }\n}": types.ChangeMemberRoleDocument,
    "mutation ChangePassword($currentPassword: String!, $password: String!) {\n  changePassword(currentPassword: $currentPassword, password: $password)\n}": types.ChangePasswordDocument,
    "mutation ChangePlan($organizationId: ID!, $planId: ID!) {\n  changePlan(organizationId: $organizationId, planId: $planId) {\n    id\n    __typename\n  }\n}": types.ChangePlanDocument,
    "mutation ConfirmEmail($token: String!) {\n  confirmEmail(token: $token)\n}": types.ConfirmEmailDocument,
    "mutation ConfirmSecondFactor($code: String!) {\n  confirmSecondFactor(code: $code)\n}": types.ConfirmSecondFactorDocument,
    "mutation CreateAuthtoken($organizationId: ID!, $name: String!, $scopes: [AuthtokenScope!]) {\n  createAuthtoken(organizationId: $organizationId, name: $name, scopes: $scopes) {\n    secret\n    authtoken {\n      id\n      name\n      __typename\n    }\n    __typename\n  }\n}": types.CreateAuthtokenDocument,
    "mutation CreateOrganization($name: String!) {\n  createOrganization(name: $name) {\n    id\n    name\n    slug\n    __typename\n  }\n}": types.CreateOrganizationDocument,
    "mutation CreateRole($input: CreateRoleInput!) {\n  createRole(input: $input) {\n    id\n    __typename\n  }\n}": types.CreateRoleDocument,
    "mutation CreateTunnel($organizationId: ID!, $input: TunnelInput!) {\n  createTunnel(organizationId: $organizationId, input: $input) {\n    id\n    name\n    kind\n    urls\n    __typename\n  }\n}": types.CreateTunnelDocument,
    "query CustomDomains($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    entitlements {\n      maxCustomDomains\n      __typename\n    }\n    customDomains(first: 25, after: $after) {\n      nodes {\n        id\n        domain\n        status\n        createdAt\n        verifiedAt\n        lastCheckedAt\n        lastError\n        dnsRecords {\n          type\n          name\n          value\n          purpose\n          found\n          __typename\n        }\n        tls {\n          status\n          expiresAt\n          issuer\n          error\n          checkedAt\n          __typename\n        }\n        certificate {\n          source\n          fingerprint\n          issuer\n          names\n          expiresAt\n          __typename\n        }\n        tunnel {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": types.CustomDomainsDocument,
    "mutation DeleteAccount($email: String!) {\n  deleteAccount(email: $email)\n}": types.DeleteAccountDocument,
    "mutation DeleteRole($input: DeleteRoleInput!) {\n  deleteRole(input: $input)\n}": types.DeleteRoleDocument,
    "mutation DeleteTunnel($id: ID!) {\n  deleteTunnel(id: $id)\n}": types.DeleteTunnelDocument,
    "mutation DetachCustomDomain($id: ID!) {\n  detachCustomDomain(id: $id) {\n    id\n    __typename\n  }\n}": types.DetachCustomDomainDocument,
    "mutation EndOtherSignIns {\n  endOtherSignIns\n}": types.EndOtherSignInsDocument,
    "mutation EndSignIn($id: ID!) {\n  endSignIn(id: $id)\n}": types.EndSignInDocument,
    "mutation ExportAccount {\n  exportAccount\n}": types.ExportAccountDocument,
    "mutation FinishSignIn($ticket: String!, $code: String!) {\n  finishSignIn(ticket: $ticket, code: $code) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}": types.FinishSignInDocument,
    "query GetStarted($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    tunnels(first: 20) {\n      nodes {\n        id\n        name\n        status\n        urls\n        __typename\n      }\n      __typename\n    }\n    requests(first: 5) {\n      nodes {\n        id\n        method\n        path\n        status\n        durationMs\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": types.GetStartedDocument,
    "query InvitationOffer($token: String!) {\n  invitation(token: $token) {\n    organizationName\n    email\n    roleName\n    hasAccount\n    expiresAt\n    __typename\n  }\n}": types.InvitationOfferDocument,
    "query Invitations($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    invitations(first: 25, after: $after) {\n      nodes {\n        id\n        email\n        role\n        sentAt\n        expiresAt\n        isExpired\n        customRole {\n          id\n          name\n          __typename\n        }\n        invitedBy {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": types.InvitationsDocument,
    "mutation InviteMember($input: InviteMemberInput!) {\n  inviteMember(input: $input) {\n    id\n    __typename\n  }\n}": types.InviteMemberDocument,
    "query Mails($after: String) {\n  mails(first: 25, after: $after) {\n    nodes {\n      id\n      kind\n      address\n      state\n      createdAt\n      attempts\n      lastError\n      subject\n      text\n      __typename\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n      __typename\n    }\n    __typename\n  }\n}": types.MailsDocument,
    "query Me {\n  me {\n    id\n    email\n    name\n    isAdmin\n    memberships {\n      role\n      customRole {\n        id\n        name\n        __typename\n      }\n      organization {\n        id\n        name\n        slug\n        viewerPermissions\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": types.MeDocument,
    "query Members($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    viewerRole\n    entitlements {\n      maxMembers\n      __typename\n    }\n    members(first: 25, after: $after) {\n      nodes {\n        id\n        role\n        customRole {\n          id\n          name\n          __typename\n        }\n        joinedAt\n        user {\n          id\n          name\n          email\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": types.MembersDocument,
    "query OrganizationRequests($organizationId: ID!, $filter: RequestFilter, $after: String) {\n  organization(id: $organizationId) {\n    id\n    requests(first: 50, after: $after, filter: $filter) {\n      nodes {\n        id\n        method\n        path\n        status\n        code\n        endpointHost\n        startedAt\n        durationMs\n        responseBytes\n        visitorIp\n        tunnel {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": types.OrganizationRequestsDocument,
    "query PlanAndUsage($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    plan {\n      id\n      name\n      __typename\n    }\n    planSubscription {\n      id\n      startedAt\n      periodEnd\n      __typename\n    }\n    entitlements {\n      maxTunnels\n      maxConcurrentConnections\n      maxCustomDomains\n      portTunnels\n      maxMembers\n      requestsPerPeriod\n      bytesPerPeriod\n      requestLogDays\n      __typename\n    }\n    usage {\n      periodStart\n      periodEnd\n      tunnels {\n        used\n        limit\n        __typename\n      }\n      requests {\n        used\n        limit\n        __typename\n      }\n      bytes {\n        used\n        limit\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n  plans {\n    id\n    name\n    description\n    monthlyPriceMinor\n    currency\n    entitlements {\n      maxTunnels\n      maxConcurrentConnections\n      maxCustomDomains\n      portTunnels\n      maxMembers\n      requestsPerPeriod\n      bytesPerPeriod\n      requestLogDays\n      __typename\n    }\n    __typename\n  }\n}": types.PlanAndUsageDocument,
    "mutation ReauthenticateWithPasskey($response: String!) {\n  reauthenticateWithPasskey(response: $response)\n}": types.ReauthenticateWithPasskeyDocument,
    "mutation Reauthenticate($password: String!, $code: String) {\n  reauthenticate(password: $password, code: $code)\n}": types.ReauthenticateDocument,
    "mutation RefreshSignIn {\n  refreshSignIn {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}": types.RefreshSignInDocument,
    "mutation RemoveCustomDomain($id: ID!) {\n  removeCustomDomain(id: $id)\n}": types.RemoveCustomDomainDocument,
    "mutation RemoveDomainCertificate($id: ID!) {\n  removeDomainCertificate(id: $id) {\n    id\n    __typename\n  }\n}": types.RemoveDomainCertificateDocument,
    "mutation RemoveMember($memberId: ID!) {\n  removeMember(memberId: $memberId)\n}": types.RemoveMemberDocument,
    "mutation RemovePasskey($id: ID!) {\n  removePasskey(id: $id)\n}": types.RemovePasskeyDocument,
    "mutation RemoveSecondFactor {\n  removeSecondFactor\n}": types.RemoveSecondFactorDocument,
    "mutation RenamePasskey($id: ID!, $name: String!) {\n  renamePasskey(id: $id, name: $name) {\n    id\n    name\n    __typename\n  }\n}": types.RenamePasskeyDocument,
    "mutation RenewRecoveryCodes {\n  renewRecoveryCodes\n}": types.RenewRecoveryCodesDocument,
    "query RequestBodies($id: ID!) {\n  capturedRequest(id: $id) {\n    id\n    requestBody {\n      contentType\n      bytes\n      truncated\n      text\n      base64\n      __typename\n    }\n    responseBody {\n      contentType\n      bytes\n      truncated\n      text\n      base64\n      __typename\n    }\n    __typename\n  }\n}": types.RequestBodiesDocument,
    "subscription RequestCaptured($organizationId: ID!, $after: String) {\n  requestCaptured(organizationId: $organizationId, after: $after) {\n    cursor\n    missed\n    request {\n      id\n      method\n      path\n      status\n      code\n      endpointHost\n      startedAt\n      durationMs\n      responseBytes\n      visitorIp\n      tunnel {\n        id\n        name\n      }\n    }\n  }\n}": types.RequestCapturedDocument,
    "mutation RequestPasswordReset($email: String!) {\n  requestPasswordReset(email: $email)\n}": types.RequestPasswordResetDocument,
    "mutation ResendInvitation($id: ID!) {\n  resendInvitation(id: $id) {\n    id\n    sentAt\n    expiresAt\n    isExpired\n    __typename\n  }\n}": types.ResendInvitationDocument,
    "mutation ResetPassword($token: String!, $password: String!) {\n  resetPassword(token: $token, password: $password)\n}": types.ResetPasswordDocument,
    "mutation RetryMail($id: ID!) {\n  retryMail(id: $id) {\n    id\n    state\n    __typename\n  }\n}": types.RetryMailDocument,
    "mutation RevokeAuthtoken($id: ID!) {\n  revokeAuthtoken(id: $id) {\n    id\n    revokedAt\n    __typename\n  }\n}": types.RevokeAuthtokenDocument,
    "mutation RevokeInvitation($id: ID!) {\n  revokeInvitation(id: $id)\n}": types.RevokeInvitationDocument,
    "query RoleChoices($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    roles {\n      id\n      name\n      description\n      permissions\n      __typename\n    }\n    __typename\n  }\n}": types.RoleChoicesDocument,
    "query Roles($organizationId: ID!) {\n  permissions {\n    name\n    description\n    roles\n    isForOwnersOnly\n    __typename\n  }\n  organization(id: $organizationId) {\n    id\n    roles {\n      id\n      name\n      description\n      permissions\n      memberCount\n      __typename\n    }\n    __typename\n  }\n}": types.RolesDocument,
    "mutation SendEmailVerification {\n  sendEmailVerification\n}": types.SendEmailVerificationDocument,
    "mutation SetDomainCertificate($id: ID!, $chain: String!, $privateKey: String!) {\n  setDomainCertificate(id: $id, chain: $chain, privateKey: $privateKey) {\n    id\n    __typename\n  }\n}": types.SetDomainCertificateDocument,
    "mutation SignInWithPasskey($response: String!) {\n  signInWithPasskey(response: $response) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}": types.SignInWithPasskeyDocument,
    "mutation SignIn($email: String!, $password: String!, $code: String) {\n  signIn(email: $email, password: $password, code: $code) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}": types.SignInDocument,
    "mutation SignOut {\n  signOut\n}": types.SignOutDocument,
    "mutation SignUp($input: SignUpInput!) {\n  signUp(input: $input) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}": types.SignUpDocument,
    "query SocialProviders {\n  socialProviders\n}": types.SocialProvidersDocument,
    "mutation StartPasskeyProof {\n  startPasskeyProof\n}": types.StartPasskeyProofDocument,
    "mutation StartPasskeySignIn {\n  startPasskeySignIn\n}": types.StartPasskeySignInDocument,
    "mutation StartPasskey {\n  startPasskey\n}": types.StartPasskeyDocument,
    "mutation StartSecondFactor {\n  startSecondFactor {\n    secret\n    uri\n    __typename\n  }\n}": types.StartSecondFactorDocument,
    "mutation StartSocialLink($provider: SocialProvider!, $returnTo: String!) {\n  startSocialLink(provider: $provider, returnTo: $returnTo)\n}": types.StartSocialLinkDocument,
    "mutation StartSocialProof($provider: SocialProvider!, $returnTo: String!, $code: String) {\n  startSocialProof(provider: $provider, returnTo: $returnTo, code: $code)\n}": types.StartSocialProofDocument,
    "mutation StartSocialSignIn($provider: SocialProvider!, $returnTo: String!) {\n  startSocialSignIn(provider: $provider, returnTo: $returnTo)\n}": types.StartSocialSignInDocument,
    "mutation StopTunnel($id: ID!) {\n  stopTunnel(id: $id) {\n    id\n    status\n    __typename\n  }\n}": types.StopTunnelDocument,
    "subscription TrafficEvents($tunnelId: ID!) {\n  trafficEvents(tunnelId: $tunnelId) {\n    cursor\n    missed\n    request {\n      id\n      method\n      path\n      status\n      code\n      protocol\n      endpointHost\n      visitorIp\n      startedAt\n      durationMs\n      firstByteMs\n      requestBytes\n      responseBytes\n      requestHeaders {\n        name\n        value\n      }\n      responseHeaders {\n        name\n        value\n      }\n    }\n    tunnel {\n      id\n      name\n    }\n  }\n}": types.TrafficEventsDocument,
    "query TunnelChoices($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    tunnels(first: 100) {\n      nodes {\n        id\n        name\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": types.TunnelChoicesDocument,
    "query TunnelRequests($tunnelId: ID!, $filter: RequestFilter, $after: String) {\n  tunnel(id: $tunnelId) {\n    id\n    name\n    requests(first: 50, after: $after, filter: $filter) {\n      nodes {\n        id\n        method\n        path\n        status\n        code\n        endpointHost\n        startedAt\n        durationMs\n        responseBytes\n        visitorIp\n        tunnel {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": types.TunnelRequestsDocument,
    "subscription TunnelStatusChanges($organizationId: ID!) {\n  tunnelStatus(organizationId: $organizationId) {\n    tunnelId\n    status\n    at\n    tunnel {\n      id\n      name\n      urls\n      connections\n      onlineSince\n    }\n  }\n}": types.TunnelStatusChangesDocument,
    "query Tunnel($id: ID!) {\n  tunnel(id: $id) {\n    id\n    name\n    kind\n    endpointHost\n    urls\n    status\n    region\n    createdAt\n    startedAt\n    onlineSince\n    connections\n    hostHeader\n    captureBodies\n    policy {\n      basicAuthUsers\n      allowIps\n      denyIps\n      requestRate {\n        perSecond\n        burst\n        __typename\n      }\n      bandwidthBytesPerSecond\n      requestHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      responseHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      compression\n      webhookProvider\n      visitorCa\n      __typename\n    }\n    owner {\n      id\n      name\n      email\n      __typename\n    }\n    organization {\n      id\n      slug\n      __typename\n    }\n    customDomains {\n      id\n      domain\n      status\n      tls {\n        status\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": types.TunnelDocument,
    "query Tunnels($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    entitlements {\n      maxTunnels\n      __typename\n    }\n    tunnels(first: 25, after: $after) {\n      nodes {\n        id\n        name\n        kind\n        endpointHost\n        urls\n        status\n        region\n        connections\n        onlineSince\n        createdAt\n        owner {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}": types.TunnelsDocument,
    "mutation UnlinkSocial($id: ID!) {\n  unlinkSocial(id: $id)\n}": types.UnlinkSocialDocument,
    "mutation UpdateRole($input: UpdateRoleInput!) {\n  updateRole(input: $input) {\n    id\n    name\n    description\n    permissions\n    __typename\n  }\n}": types.UpdateRoleDocument,
    "mutation VerifyCustomDomain($id: ID!) {\n  verifyCustomDomain(id: $id) {\n    id\n    domain\n    status\n    lastError\n    __typename\n  }\n}": types.VerifyCustomDomainDocument,
    "query WaysToProve {\n  hasPassword\n  passkeys {\n    id\n    __typename\n  }\n  socialLinks {\n    id\n    provider\n    __typename\n  }\n}": types.WaysToProveDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation AcceptInvitation($token: String!) {\n  acceptInvitation(token: $token) {\n    id\n    slug\n    __typename\n  }\n}"): (typeof documents)["mutation AcceptInvitation($token: String!) {\n  acceptInvitation(token: $token) {\n    id\n    slug\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query AccountSecurity {\n  me {\n    id\n    email\n    emailVerifiedAt\n    __typename\n  }\n  secondFactor {\n    confirmedAt\n    recoveryCodesLeft\n    __typename\n  }\n  hasPassword\n  passkeys {\n    id\n    name\n    isBackedUp\n    createdAt\n    lastUsedAt\n    __typename\n  }\n  socialProviders\n  socialLinks {\n    id\n    provider\n    email\n    linkedAt\n    lastUsedAt\n    __typename\n  }\n  signIns {\n    id\n    device\n    ip\n    startedAt\n    lastUsedAt\n    isCurrent\n    __typename\n  }\n}"): (typeof documents)["query AccountSecurity {\n  me {\n    id\n    email\n    emailVerifiedAt\n    __typename\n  }\n  secondFactor {\n    confirmedAt\n    recoveryCodesLeft\n    __typename\n  }\n  hasPassword\n  passkeys {\n    id\n    name\n    isBackedUp\n    createdAt\n    lastUsedAt\n    __typename\n  }\n  socialProviders\n  socialLinks {\n    id\n    provider\n    email\n    linkedAt\n    lastUsedAt\n    __typename\n  }\n  signIns {\n    id\n    device\n    ip\n    startedAt\n    lastUsedAt\n    isCurrent\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation AddCustomDomain($organizationId: ID!, $domain: String!) {\n  addCustomDomain(organizationId: $organizationId, domain: $domain) {\n    id\n    domain\n    __typename\n  }\n}"): (typeof documents)["mutation AddCustomDomain($organizationId: ID!, $domain: String!) {\n  addCustomDomain(organizationId: $organizationId, domain: $domain) {\n    id\n    domain\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation AddPasskey($name: String!, $response: String!) {\n  addPasskey(name: $name, response: $response) {\n    id\n    name\n    __typename\n  }\n}"): (typeof documents)["mutation AddPasskey($name: String!, $response: String!) {\n  addPasskey(name: $name, response: $response) {\n    id\n    name\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation AttachCustomDomain($id: ID!, $tunnelId: ID!) {\n  attachCustomDomain(id: $id, tunnelId: $tunnelId) {\n    id\n    __typename\n  }\n}"): (typeof documents)["mutation AttachCustomDomain($id: ID!, $tunnelId: ID!) {\n  attachCustomDomain(id: $id, tunnelId: $tunnelId) {\n    id\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query AuditEntries($organizationId: ID!, $action: String, $after: String) {\n  organization(id: $organizationId) {\n    id\n    auditEntries(first: 50, after: $after, action: $action) {\n      nodes {\n        id\n        action\n        actorKind\n        actorName\n        actor {\n          id\n          name\n          __typename\n        }\n        targetType\n        targetId\n        details\n        ip\n        at\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query AuditEntries($organizationId: ID!, $action: String, $after: String) {\n  organization(id: $organizationId) {\n    id\n    auditEntries(first: 50, after: $after, action: $action) {\n      nodes {\n        id\n        action\n        actorKind\n        actorName\n        actor {\n          id\n          name\n          __typename\n        }\n        targetType\n        targetId\n        details\n        ip\n        at\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Authtokens($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    authtokens(first: 25, after: $after) {\n      nodes {\n        id\n        name\n        prefix\n        scopes\n        createdAt\n        createdBy {\n          id\n          name\n          __typename\n        }\n        lastUsedAt\n        lastUsedIp\n        revokedAt\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query Authtokens($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    authtokens(first: 25, after: $after) {\n      nodes {\n        id\n        name\n        prefix\n        scopes\n        createdAt\n        createdBy {\n          id\n          name\n          __typename\n        }\n        lastUsedAt\n        lastUsedIp\n        revokedAt\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation CaptureBodies($id: ID!, $input: TunnelUpdateInput!) {\n  updateTunnel(id: $id, input: $input) {\n    id\n    captureBodies\n    __typename\n  }\n}"): (typeof documents)["mutation CaptureBodies($id: ID!, $input: TunnelUpdateInput!) {\n  updateTunnel(id: $id, input: $input) {\n    id\n    captureBodies\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query CapturedRequest($id: ID!) {\n  capturedRequest(id: $id) {\n    id\n    method\n    path\n    status\n    code\n    protocol\n    endpointHost\n    visitorIp\n    startedAt\n    durationMs\n    firstByteMs\n    requestBytes\n    responseBytes\n    requestHeaders {\n      name\n      value\n      __typename\n    }\n    responseHeaders {\n      name\n      value\n      __typename\n    }\n    tunnel {\n      id\n      name\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query CapturedRequest($id: ID!) {\n  capturedRequest(id: $id) {\n    id\n    method\n    path\n    status\n    code\n    protocol\n    endpointHost\n    visitorIp\n    startedAt\n    durationMs\n    firstByteMs\n    requestBytes\n    responseBytes\n    requestHeaders {\n      name\n      value\n      __typename\n    }\n    responseHeaders {\n      name\n      value\n      __typename\n    }\n    tunnel {\n      id\n      name\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ChangeEdgePolicy($id: ID!, $input: TunnelUpdateInput!) {\n  updateTunnel(id: $id, input: $input) {\n    id\n    hostHeader\n    policy {\n      basicAuthUsers\n      allowIps\n      denyIps\n      requestRate {\n        perSecond\n        burst\n        __typename\n      }\n      bandwidthBytesPerSecond\n      requestHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      responseHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      compression\n      webhookProvider\n      visitorCa\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["mutation ChangeEdgePolicy($id: ID!, $input: TunnelUpdateInput!) {\n  updateTunnel(id: $id, input: $input) {\n    id\n    hostHeader\n    policy {\n      basicAuthUsers\n      allowIps\n      denyIps\n      requestRate {\n        perSecond\n        burst\n        __typename\n      }\n      bandwidthBytesPerSecond\n      requestHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      responseHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      compression\n      webhookProvider\n      visitorCa\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ChangeEmail($email: String!) {\n  changeEmail(email: $email)\n}"): (typeof documents)["mutation ChangeEmail($email: String!) {\n  changeEmail(email: $email)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ChangeMemberRole($memberId: ID!, $role: Role, $customRoleId: ID) {\n  changeMemberRole(memberId: $memberId, role: $role, customRoleId: $customRoleId) {\n    id\n    role\n    customRole {\n      id\n      name\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["mutation ChangeMemberRole($memberId: ID!, $role: Role, $customRoleId: ID) {\n  changeMemberRole(memberId: $memberId, role: $role, customRoleId: $customRoleId) {\n    id\n    role\n    customRole {\n      id\n      name\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ChangePassword($currentPassword: String!, $password: String!) {\n  changePassword(currentPassword: $currentPassword, password: $password)\n}"): (typeof documents)["mutation ChangePassword($currentPassword: String!, $password: String!) {\n  changePassword(currentPassword: $currentPassword, password: $password)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ChangePlan($organizationId: ID!, $planId: ID!) {\n  changePlan(organizationId: $organizationId, planId: $planId) {\n    id\n    __typename\n  }\n}"): (typeof documents)["mutation ChangePlan($organizationId: ID!, $planId: ID!) {\n  changePlan(organizationId: $organizationId, planId: $planId) {\n    id\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ConfirmEmail($token: String!) {\n  confirmEmail(token: $token)\n}"): (typeof documents)["mutation ConfirmEmail($token: String!) {\n  confirmEmail(token: $token)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ConfirmSecondFactor($code: String!) {\n  confirmSecondFactor(code: $code)\n}"): (typeof documents)["mutation ConfirmSecondFactor($code: String!) {\n  confirmSecondFactor(code: $code)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation CreateAuthtoken($organizationId: ID!, $name: String!, $scopes: [AuthtokenScope!]) {\n  createAuthtoken(organizationId: $organizationId, name: $name, scopes: $scopes) {\n    secret\n    authtoken {\n      id\n      name\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["mutation CreateAuthtoken($organizationId: ID!, $name: String!, $scopes: [AuthtokenScope!]) {\n  createAuthtoken(organizationId: $organizationId, name: $name, scopes: $scopes) {\n    secret\n    authtoken {\n      id\n      name\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation CreateOrganization($name: String!) {\n  createOrganization(name: $name) {\n    id\n    name\n    slug\n    __typename\n  }\n}"): (typeof documents)["mutation CreateOrganization($name: String!) {\n  createOrganization(name: $name) {\n    id\n    name\n    slug\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation CreateRole($input: CreateRoleInput!) {\n  createRole(input: $input) {\n    id\n    __typename\n  }\n}"): (typeof documents)["mutation CreateRole($input: CreateRoleInput!) {\n  createRole(input: $input) {\n    id\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation CreateTunnel($organizationId: ID!, $input: TunnelInput!) {\n  createTunnel(organizationId: $organizationId, input: $input) {\n    id\n    name\n    kind\n    urls\n    __typename\n  }\n}"): (typeof documents)["mutation CreateTunnel($organizationId: ID!, $input: TunnelInput!) {\n  createTunnel(organizationId: $organizationId, input: $input) {\n    id\n    name\n    kind\n    urls\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query CustomDomains($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    entitlements {\n      maxCustomDomains\n      __typename\n    }\n    customDomains(first: 25, after: $after) {\n      nodes {\n        id\n        domain\n        status\n        createdAt\n        verifiedAt\n        lastCheckedAt\n        lastError\n        dnsRecords {\n          type\n          name\n          value\n          purpose\n          found\n          __typename\n        }\n        tls {\n          status\n          expiresAt\n          issuer\n          error\n          checkedAt\n          __typename\n        }\n        certificate {\n          source\n          fingerprint\n          issuer\n          names\n          expiresAt\n          __typename\n        }\n        tunnel {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query CustomDomains($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    entitlements {\n      maxCustomDomains\n      __typename\n    }\n    customDomains(first: 25, after: $after) {\n      nodes {\n        id\n        domain\n        status\n        createdAt\n        verifiedAt\n        lastCheckedAt\n        lastError\n        dnsRecords {\n          type\n          name\n          value\n          purpose\n          found\n          __typename\n        }\n        tls {\n          status\n          expiresAt\n          issuer\n          error\n          checkedAt\n          __typename\n        }\n        certificate {\n          source\n          fingerprint\n          issuer\n          names\n          expiresAt\n          __typename\n        }\n        tunnel {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation DeleteAccount($email: String!) {\n  deleteAccount(email: $email)\n}"): (typeof documents)["mutation DeleteAccount($email: String!) {\n  deleteAccount(email: $email)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation DeleteRole($input: DeleteRoleInput!) {\n  deleteRole(input: $input)\n}"): (typeof documents)["mutation DeleteRole($input: DeleteRoleInput!) {\n  deleteRole(input: $input)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation DeleteTunnel($id: ID!) {\n  deleteTunnel(id: $id)\n}"): (typeof documents)["mutation DeleteTunnel($id: ID!) {\n  deleteTunnel(id: $id)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation DetachCustomDomain($id: ID!) {\n  detachCustomDomain(id: $id) {\n    id\n    __typename\n  }\n}"): (typeof documents)["mutation DetachCustomDomain($id: ID!) {\n  detachCustomDomain(id: $id) {\n    id\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation EndOtherSignIns {\n  endOtherSignIns\n}"): (typeof documents)["mutation EndOtherSignIns {\n  endOtherSignIns\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation EndSignIn($id: ID!) {\n  endSignIn(id: $id)\n}"): (typeof documents)["mutation EndSignIn($id: ID!) {\n  endSignIn(id: $id)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ExportAccount {\n  exportAccount\n}"): (typeof documents)["mutation ExportAccount {\n  exportAccount\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation FinishSignIn($ticket: String!, $code: String!) {\n  finishSignIn(ticket: $ticket, code: $code) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["mutation FinishSignIn($ticket: String!, $code: String!) {\n  finishSignIn(ticket: $ticket, code: $code) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query GetStarted($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    tunnels(first: 20) {\n      nodes {\n        id\n        name\n        status\n        urls\n        __typename\n      }\n      __typename\n    }\n    requests(first: 5) {\n      nodes {\n        id\n        method\n        path\n        status\n        durationMs\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query GetStarted($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    tunnels(first: 20) {\n      nodes {\n        id\n        name\n        status\n        urls\n        __typename\n      }\n      __typename\n    }\n    requests(first: 5) {\n      nodes {\n        id\n        method\n        path\n        status\n        durationMs\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query InvitationOffer($token: String!) {\n  invitation(token: $token) {\n    organizationName\n    email\n    roleName\n    hasAccount\n    expiresAt\n    __typename\n  }\n}"): (typeof documents)["query InvitationOffer($token: String!) {\n  invitation(token: $token) {\n    organizationName\n    email\n    roleName\n    hasAccount\n    expiresAt\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Invitations($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    invitations(first: 25, after: $after) {\n      nodes {\n        id\n        email\n        role\n        sentAt\n        expiresAt\n        isExpired\n        customRole {\n          id\n          name\n          __typename\n        }\n        invitedBy {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query Invitations($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    invitations(first: 25, after: $after) {\n      nodes {\n        id\n        email\n        role\n        sentAt\n        expiresAt\n        isExpired\n        customRole {\n          id\n          name\n          __typename\n        }\n        invitedBy {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation InviteMember($input: InviteMemberInput!) {\n  inviteMember(input: $input) {\n    id\n    __typename\n  }\n}"): (typeof documents)["mutation InviteMember($input: InviteMemberInput!) {\n  inviteMember(input: $input) {\n    id\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Mails($after: String) {\n  mails(first: 25, after: $after) {\n    nodes {\n      id\n      kind\n      address\n      state\n      createdAt\n      attempts\n      lastError\n      subject\n      text\n      __typename\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query Mails($after: String) {\n  mails(first: 25, after: $after) {\n    nodes {\n      id\n      kind\n      address\n      state\n      createdAt\n      attempts\n      lastError\n      subject\n      text\n      __typename\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Me {\n  me {\n    id\n    email\n    name\n    isAdmin\n    memberships {\n      role\n      customRole {\n        id\n        name\n        __typename\n      }\n      organization {\n        id\n        name\n        slug\n        viewerPermissions\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query Me {\n  me {\n    id\n    email\n    name\n    isAdmin\n    memberships {\n      role\n      customRole {\n        id\n        name\n        __typename\n      }\n      organization {\n        id\n        name\n        slug\n        viewerPermissions\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Members($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    viewerRole\n    entitlements {\n      maxMembers\n      __typename\n    }\n    members(first: 25, after: $after) {\n      nodes {\n        id\n        role\n        customRole {\n          id\n          name\n          __typename\n        }\n        joinedAt\n        user {\n          id\n          name\n          email\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query Members($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    viewerRole\n    entitlements {\n      maxMembers\n      __typename\n    }\n    members(first: 25, after: $after) {\n      nodes {\n        id\n        role\n        customRole {\n          id\n          name\n          __typename\n        }\n        joinedAt\n        user {\n          id\n          name\n          email\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query OrganizationRequests($organizationId: ID!, $filter: RequestFilter, $after: String) {\n  organization(id: $organizationId) {\n    id\n    requests(first: 50, after: $after, filter: $filter) {\n      nodes {\n        id\n        method\n        path\n        status\n        code\n        endpointHost\n        startedAt\n        durationMs\n        responseBytes\n        visitorIp\n        tunnel {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query OrganizationRequests($organizationId: ID!, $filter: RequestFilter, $after: String) {\n  organization(id: $organizationId) {\n    id\n    requests(first: 50, after: $after, filter: $filter) {\n      nodes {\n        id\n        method\n        path\n        status\n        code\n        endpointHost\n        startedAt\n        durationMs\n        responseBytes\n        visitorIp\n        tunnel {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query PlanAndUsage($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    plan {\n      id\n      name\n      __typename\n    }\n    planSubscription {\n      id\n      startedAt\n      periodEnd\n      __typename\n    }\n    entitlements {\n      maxTunnels\n      maxConcurrentConnections\n      maxCustomDomains\n      portTunnels\n      maxMembers\n      requestsPerPeriod\n      bytesPerPeriod\n      requestLogDays\n      __typename\n    }\n    usage {\n      periodStart\n      periodEnd\n      tunnels {\n        used\n        limit\n        __typename\n      }\n      requests {\n        used\n        limit\n        __typename\n      }\n      bytes {\n        used\n        limit\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n  plans {\n    id\n    name\n    description\n    monthlyPriceMinor\n    currency\n    entitlements {\n      maxTunnels\n      maxConcurrentConnections\n      maxCustomDomains\n      portTunnels\n      maxMembers\n      requestsPerPeriod\n      bytesPerPeriod\n      requestLogDays\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query PlanAndUsage($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    plan {\n      id\n      name\n      __typename\n    }\n    planSubscription {\n      id\n      startedAt\n      periodEnd\n      __typename\n    }\n    entitlements {\n      maxTunnels\n      maxConcurrentConnections\n      maxCustomDomains\n      portTunnels\n      maxMembers\n      requestsPerPeriod\n      bytesPerPeriod\n      requestLogDays\n      __typename\n    }\n    usage {\n      periodStart\n      periodEnd\n      tunnels {\n        used\n        limit\n        __typename\n      }\n      requests {\n        used\n        limit\n        __typename\n      }\n      bytes {\n        used\n        limit\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n  plans {\n    id\n    name\n    description\n    monthlyPriceMinor\n    currency\n    entitlements {\n      maxTunnels\n      maxConcurrentConnections\n      maxCustomDomains\n      portTunnels\n      maxMembers\n      requestsPerPeriod\n      bytesPerPeriod\n      requestLogDays\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ReauthenticateWithPasskey($response: String!) {\n  reauthenticateWithPasskey(response: $response)\n}"): (typeof documents)["mutation ReauthenticateWithPasskey($response: String!) {\n  reauthenticateWithPasskey(response: $response)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation Reauthenticate($password: String!, $code: String) {\n  reauthenticate(password: $password, code: $code)\n}"): (typeof documents)["mutation Reauthenticate($password: String!, $code: String) {\n  reauthenticate(password: $password, code: $code)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RefreshSignIn {\n  refreshSignIn {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["mutation RefreshSignIn {\n  refreshSignIn {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RemoveCustomDomain($id: ID!) {\n  removeCustomDomain(id: $id)\n}"): (typeof documents)["mutation RemoveCustomDomain($id: ID!) {\n  removeCustomDomain(id: $id)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RemoveDomainCertificate($id: ID!) {\n  removeDomainCertificate(id: $id) {\n    id\n    __typename\n  }\n}"): (typeof documents)["mutation RemoveDomainCertificate($id: ID!) {\n  removeDomainCertificate(id: $id) {\n    id\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RemoveMember($memberId: ID!) {\n  removeMember(memberId: $memberId)\n}"): (typeof documents)["mutation RemoveMember($memberId: ID!) {\n  removeMember(memberId: $memberId)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RemovePasskey($id: ID!) {\n  removePasskey(id: $id)\n}"): (typeof documents)["mutation RemovePasskey($id: ID!) {\n  removePasskey(id: $id)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RemoveSecondFactor {\n  removeSecondFactor\n}"): (typeof documents)["mutation RemoveSecondFactor {\n  removeSecondFactor\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RenamePasskey($id: ID!, $name: String!) {\n  renamePasskey(id: $id, name: $name) {\n    id\n    name\n    __typename\n  }\n}"): (typeof documents)["mutation RenamePasskey($id: ID!, $name: String!) {\n  renamePasskey(id: $id, name: $name) {\n    id\n    name\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RenewRecoveryCodes {\n  renewRecoveryCodes\n}"): (typeof documents)["mutation RenewRecoveryCodes {\n  renewRecoveryCodes\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query RequestBodies($id: ID!) {\n  capturedRequest(id: $id) {\n    id\n    requestBody {\n      contentType\n      bytes\n      truncated\n      text\n      base64\n      __typename\n    }\n    responseBody {\n      contentType\n      bytes\n      truncated\n      text\n      base64\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query RequestBodies($id: ID!) {\n  capturedRequest(id: $id) {\n    id\n    requestBody {\n      contentType\n      bytes\n      truncated\n      text\n      base64\n      __typename\n    }\n    responseBody {\n      contentType\n      bytes\n      truncated\n      text\n      base64\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription RequestCaptured($organizationId: ID!, $after: String) {\n  requestCaptured(organizationId: $organizationId, after: $after) {\n    cursor\n    missed\n    request {\n      id\n      method\n      path\n      status\n      code\n      endpointHost\n      startedAt\n      durationMs\n      responseBytes\n      visitorIp\n      tunnel {\n        id\n        name\n      }\n    }\n  }\n}"): (typeof documents)["subscription RequestCaptured($organizationId: ID!, $after: String) {\n  requestCaptured(organizationId: $organizationId, after: $after) {\n    cursor\n    missed\n    request {\n      id\n      method\n      path\n      status\n      code\n      endpointHost\n      startedAt\n      durationMs\n      responseBytes\n      visitorIp\n      tunnel {\n        id\n        name\n      }\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RequestPasswordReset($email: String!) {\n  requestPasswordReset(email: $email)\n}"): (typeof documents)["mutation RequestPasswordReset($email: String!) {\n  requestPasswordReset(email: $email)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ResendInvitation($id: ID!) {\n  resendInvitation(id: $id) {\n    id\n    sentAt\n    expiresAt\n    isExpired\n    __typename\n  }\n}"): (typeof documents)["mutation ResendInvitation($id: ID!) {\n  resendInvitation(id: $id) {\n    id\n    sentAt\n    expiresAt\n    isExpired\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ResetPassword($token: String!, $password: String!) {\n  resetPassword(token: $token, password: $password)\n}"): (typeof documents)["mutation ResetPassword($token: String!, $password: String!) {\n  resetPassword(token: $token, password: $password)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RetryMail($id: ID!) {\n  retryMail(id: $id) {\n    id\n    state\n    __typename\n  }\n}"): (typeof documents)["mutation RetryMail($id: ID!) {\n  retryMail(id: $id) {\n    id\n    state\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RevokeAuthtoken($id: ID!) {\n  revokeAuthtoken(id: $id) {\n    id\n    revokedAt\n    __typename\n  }\n}"): (typeof documents)["mutation RevokeAuthtoken($id: ID!) {\n  revokeAuthtoken(id: $id) {\n    id\n    revokedAt\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RevokeInvitation($id: ID!) {\n  revokeInvitation(id: $id)\n}"): (typeof documents)["mutation RevokeInvitation($id: ID!) {\n  revokeInvitation(id: $id)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query RoleChoices($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    roles {\n      id\n      name\n      description\n      permissions\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query RoleChoices($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    roles {\n      id\n      name\n      description\n      permissions\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Roles($organizationId: ID!) {\n  permissions {\n    name\n    description\n    roles\n    isForOwnersOnly\n    __typename\n  }\n  organization(id: $organizationId) {\n    id\n    roles {\n      id\n      name\n      description\n      permissions\n      memberCount\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query Roles($organizationId: ID!) {\n  permissions {\n    name\n    description\n    roles\n    isForOwnersOnly\n    __typename\n  }\n  organization(id: $organizationId) {\n    id\n    roles {\n      id\n      name\n      description\n      permissions\n      memberCount\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SendEmailVerification {\n  sendEmailVerification\n}"): (typeof documents)["mutation SendEmailVerification {\n  sendEmailVerification\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SetDomainCertificate($id: ID!, $chain: String!, $privateKey: String!) {\n  setDomainCertificate(id: $id, chain: $chain, privateKey: $privateKey) {\n    id\n    __typename\n  }\n}"): (typeof documents)["mutation SetDomainCertificate($id: ID!, $chain: String!, $privateKey: String!) {\n  setDomainCertificate(id: $id, chain: $chain, privateKey: $privateKey) {\n    id\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SignInWithPasskey($response: String!) {\n  signInWithPasskey(response: $response) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["mutation SignInWithPasskey($response: String!) {\n  signInWithPasskey(response: $response) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SignIn($email: String!, $password: String!, $code: String) {\n  signIn(email: $email, password: $password, code: $code) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["mutation SignIn($email: String!, $password: String!, $code: String) {\n  signIn(email: $email, password: $password, code: $code) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SignOut {\n  signOut\n}"): (typeof documents)["mutation SignOut {\n  signOut\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SignUp($input: SignUpInput!) {\n  signUp(input: $input) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["mutation SignUp($input: SignUpInput!) {\n  signUp(input: $input) {\n    accessToken\n    expiresAt\n    user {\n      id\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query SocialProviders {\n  socialProviders\n}"): (typeof documents)["query SocialProviders {\n  socialProviders\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation StartPasskeyProof {\n  startPasskeyProof\n}"): (typeof documents)["mutation StartPasskeyProof {\n  startPasskeyProof\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation StartPasskeySignIn {\n  startPasskeySignIn\n}"): (typeof documents)["mutation StartPasskeySignIn {\n  startPasskeySignIn\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation StartPasskey {\n  startPasskey\n}"): (typeof documents)["mutation StartPasskey {\n  startPasskey\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation StartSecondFactor {\n  startSecondFactor {\n    secret\n    uri\n    __typename\n  }\n}"): (typeof documents)["mutation StartSecondFactor {\n  startSecondFactor {\n    secret\n    uri\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation StartSocialLink($provider: SocialProvider!, $returnTo: String!) {\n  startSocialLink(provider: $provider, returnTo: $returnTo)\n}"): (typeof documents)["mutation StartSocialLink($provider: SocialProvider!, $returnTo: String!) {\n  startSocialLink(provider: $provider, returnTo: $returnTo)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation StartSocialProof($provider: SocialProvider!, $returnTo: String!, $code: String) {\n  startSocialProof(provider: $provider, returnTo: $returnTo, code: $code)\n}"): (typeof documents)["mutation StartSocialProof($provider: SocialProvider!, $returnTo: String!, $code: String) {\n  startSocialProof(provider: $provider, returnTo: $returnTo, code: $code)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation StartSocialSignIn($provider: SocialProvider!, $returnTo: String!) {\n  startSocialSignIn(provider: $provider, returnTo: $returnTo)\n}"): (typeof documents)["mutation StartSocialSignIn($provider: SocialProvider!, $returnTo: String!) {\n  startSocialSignIn(provider: $provider, returnTo: $returnTo)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation StopTunnel($id: ID!) {\n  stopTunnel(id: $id) {\n    id\n    status\n    __typename\n  }\n}"): (typeof documents)["mutation StopTunnel($id: ID!) {\n  stopTunnel(id: $id) {\n    id\n    status\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription TrafficEvents($tunnelId: ID!) {\n  trafficEvents(tunnelId: $tunnelId) {\n    cursor\n    missed\n    request {\n      id\n      method\n      path\n      status\n      code\n      protocol\n      endpointHost\n      visitorIp\n      startedAt\n      durationMs\n      firstByteMs\n      requestBytes\n      responseBytes\n      requestHeaders {\n        name\n        value\n      }\n      responseHeaders {\n        name\n        value\n      }\n    }\n    tunnel {\n      id\n      name\n    }\n  }\n}"): (typeof documents)["subscription TrafficEvents($tunnelId: ID!) {\n  trafficEvents(tunnelId: $tunnelId) {\n    cursor\n    missed\n    request {\n      id\n      method\n      path\n      status\n      code\n      protocol\n      endpointHost\n      visitorIp\n      startedAt\n      durationMs\n      firstByteMs\n      requestBytes\n      responseBytes\n      requestHeaders {\n        name\n        value\n      }\n      responseHeaders {\n        name\n        value\n      }\n    }\n    tunnel {\n      id\n      name\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query TunnelChoices($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    tunnels(first: 100) {\n      nodes {\n        id\n        name\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query TunnelChoices($organizationId: ID!) {\n  organization(id: $organizationId) {\n    id\n    tunnels(first: 100) {\n      nodes {\n        id\n        name\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query TunnelRequests($tunnelId: ID!, $filter: RequestFilter, $after: String) {\n  tunnel(id: $tunnelId) {\n    id\n    name\n    requests(first: 50, after: $after, filter: $filter) {\n      nodes {\n        id\n        method\n        path\n        status\n        code\n        endpointHost\n        startedAt\n        durationMs\n        responseBytes\n        visitorIp\n        tunnel {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query TunnelRequests($tunnelId: ID!, $filter: RequestFilter, $after: String) {\n  tunnel(id: $tunnelId) {\n    id\n    name\n    requests(first: 50, after: $after, filter: $filter) {\n      nodes {\n        id\n        method\n        path\n        status\n        code\n        endpointHost\n        startedAt\n        durationMs\n        responseBytes\n        visitorIp\n        tunnel {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription TunnelStatusChanges($organizationId: ID!) {\n  tunnelStatus(organizationId: $organizationId) {\n    tunnelId\n    status\n    at\n    tunnel {\n      id\n      name\n      urls\n      connections\n      onlineSince\n    }\n  }\n}"): (typeof documents)["subscription TunnelStatusChanges($organizationId: ID!) {\n  tunnelStatus(organizationId: $organizationId) {\n    tunnelId\n    status\n    at\n    tunnel {\n      id\n      name\n      urls\n      connections\n      onlineSince\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Tunnel($id: ID!) {\n  tunnel(id: $id) {\n    id\n    name\n    kind\n    endpointHost\n    urls\n    status\n    region\n    createdAt\n    startedAt\n    onlineSince\n    connections\n    hostHeader\n    captureBodies\n    policy {\n      basicAuthUsers\n      allowIps\n      denyIps\n      requestRate {\n        perSecond\n        burst\n        __typename\n      }\n      bandwidthBytesPerSecond\n      requestHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      responseHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      compression\n      webhookProvider\n      visitorCa\n      __typename\n    }\n    owner {\n      id\n      name\n      email\n      __typename\n    }\n    organization {\n      id\n      slug\n      __typename\n    }\n    customDomains {\n      id\n      domain\n      status\n      tls {\n        status\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query Tunnel($id: ID!) {\n  tunnel(id: $id) {\n    id\n    name\n    kind\n    endpointHost\n    urls\n    status\n    region\n    createdAt\n    startedAt\n    onlineSince\n    connections\n    hostHeader\n    captureBodies\n    policy {\n      basicAuthUsers\n      allowIps\n      denyIps\n      requestRate {\n        perSecond\n        burst\n        __typename\n      }\n      bandwidthBytesPerSecond\n      requestHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      responseHeaders {\n        add {\n          name\n          value\n          __typename\n        }\n        remove\n        __typename\n      }\n      compression\n      webhookProvider\n      visitorCa\n      __typename\n    }\n    owner {\n      id\n      name\n      email\n      __typename\n    }\n    organization {\n      id\n      slug\n      __typename\n    }\n    customDomains {\n      id\n      domain\n      status\n      tls {\n        status\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Tunnels($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    entitlements {\n      maxTunnels\n      __typename\n    }\n    tunnels(first: 25, after: $after) {\n      nodes {\n        id\n        name\n        kind\n        endpointHost\n        urls\n        status\n        region\n        connections\n        onlineSince\n        createdAt\n        owner {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"): (typeof documents)["query Tunnels($organizationId: ID!, $after: String) {\n  organization(id: $organizationId) {\n    id\n    entitlements {\n      maxTunnels\n      __typename\n    }\n    tunnels(first: 25, after: $after) {\n      nodes {\n        id\n        name\n        kind\n        endpointHost\n        urls\n        status\n        region\n        connections\n        onlineSince\n        createdAt\n        owner {\n          id\n          name\n          __typename\n        }\n        __typename\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n        __typename\n      }\n      __typename\n    }\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation UnlinkSocial($id: ID!) {\n  unlinkSocial(id: $id)\n}"): (typeof documents)["mutation UnlinkSocial($id: ID!) {\n  unlinkSocial(id: $id)\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation UpdateRole($input: UpdateRoleInput!) {\n  updateRole(input: $input) {\n    id\n    name\n    description\n    permissions\n    __typename\n  }\n}"): (typeof documents)["mutation UpdateRole($input: UpdateRoleInput!) {\n  updateRole(input: $input) {\n    id\n    name\n    description\n    permissions\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation VerifyCustomDomain($id: ID!) {\n  verifyCustomDomain(id: $id) {\n    id\n    domain\n    status\n    lastError\n    __typename\n  }\n}"): (typeof documents)["mutation VerifyCustomDomain($id: ID!) {\n  verifyCustomDomain(id: $id) {\n    id\n    domain\n    status\n    lastError\n    __typename\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query WaysToProve {\n  hasPassword\n  passkeys {\n    id\n    __typename\n  }\n  socialLinks {\n    id\n    provider\n    __typename\n  }\n}"): (typeof documents)["query WaysToProve {\n  hasPassword\n  passkeys {\n    id\n    __typename\n  }\n  socialLinks {\n    id\n    provider\n    __typename\n  }\n}"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;