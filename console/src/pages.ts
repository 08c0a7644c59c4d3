import { lazyRouteComponent } from '@tanstack/react-router'

/** What is loaded on its own, when it is first shown or a moment before. */
export const pages = {
  signedIn: lazyRouteComponent(() => import('./shell/signed-in.tsx'), 'SignedIn'),
  errorCodePage: lazyRouteComponent(() => import('./shell/error-code-page.tsx'), 'ErrorCodePage'),
  home: lazyRouteComponent(() => import('./shell/home.tsx'), 'Home'),
  shortcut: lazyRouteComponent(() => import('./shell/home.tsx'), 'Shortcut'),
  organizationShell: lazyRouteComponent(
    () => import('./shell/organization-shell.tsx'),
    'OrganizationShell',
  ),
  getStartedPage: lazyRouteComponent(
    () => import('./start/get-started-page.tsx'),
    'GetStartedPage',
  ),
  tunnelsPage: lazyRouteComponent(() => import('./tunnels/tunnels-page.tsx'), 'TunnelsPage'),
  tunnelPage: lazyRouteComponent(() => import('./tunnels/tunnel-page.tsx'), 'TunnelPage'),
  requestsPage: lazyRouteComponent(() => import('./requests/requests-page.tsx'), 'RequestsPage'),
  authtokensPage: lazyRouteComponent(
    () => import('./authtokens/authtokens-page.tsx'),
    'AuthtokensPage',
  ),
  apiKeysPage: lazyRouteComponent(() => import('./api-keys/api-keys-page.tsx'), 'ApiKeysPage'),
  serviceAccountsPage: lazyRouteComponent(
    () => import('./service-accounts/service-accounts-page.tsx'),
    'ServiceAccountsPage',
  ),
  webhooksPage: lazyRouteComponent(() => import('./webhooks/webhooks-page.tsx'), 'WebhooksPage'),
  partnersPage: lazyRouteComponent(() => import('./partners/partners-page.tsx'), 'PartnersPage'),
  membersPage: lazyRouteComponent(() => import('./members/members-page.tsx'), 'MembersPage'),
  rolesPage: lazyRouteComponent(() => import('./roles/roles-page.tsx'), 'RolesPage'),
  settingsPage: lazyRouteComponent(() => import('./settings/settings-page.tsx'), 'SettingsPage'),
  invitationPage: lazyRouteComponent(
    () => import('./members/invitation-page.tsx'),
    'InvitationPage',
  ),
  usagePage: lazyRouteComponent(() => import('./usage/usage-page.tsx'), 'UsagePage'),
  domainsPage: lazyRouteComponent(() => import('./domains/domains-page.tsx'), 'DomainsPage'),
  auditPage: lazyRouteComponent(() => import('./audit/audit-page.tsx'), 'AuditPage'),
  ssoPage: lazyRouteComponent(() => import('./sso/sso-page.tsx'), 'SsoPage'),
  scimPage: lazyRouteComponent(() => import('./scim/scim-page.tsx'), 'ScimPage'),
  ssoSignInPage: lazyRouteComponent(
    () => import('./sign-in/sso-sign-in-page.tsx'),
    'SsoSignInPage',
  ),
  securityPage: lazyRouteComponent(() => import('./security/security-page.tsx'), 'SecurityPage'),
  adminShell: lazyRouteComponent(() => import('./admin/admin-shell.tsx'), 'AdminShell'),
  adminUsersPage: lazyRouteComponent(() => import('./admin/users-page.tsx'), 'UsersPage'),
  adminUserPage: lazyRouteComponent(() => import('./admin/user-page.tsx'), 'UserPage'),
  adminOrganizationsPage: lazyRouteComponent(
    () => import('./admin/organizations-page.tsx'),
    'OrganizationsPage',
  ),
  adminOrganizationPage: lazyRouteComponent(
    () => import('./admin/organization-page.tsx'),
    'OrganizationPage',
  ),
  adminHostsPage: lazyRouteComponent(() => import('./admin/hosts-page.tsx'), 'HostsPage'),
  adminKeysPage: lazyRouteComponent(() => import('./admin/keys-page.tsx'), 'KeysPage'),
  adminBlocksPage: lazyRouteComponent(() => import('./admin/blocks-page.tsx'), 'BlocksPage'),
  adminAuditPage: lazyRouteComponent(() => import('./admin/audit-page.tsx'), 'PlatformAuditPage'),
  adminAnomaliesPage: lazyRouteComponent(
    () => import('./admin/anomalies-page.tsx'),
    'AllAnomaliesPage',
  ),
  anomaliesPage: lazyRouteComponent(() => import('./admin/anomalies-page.tsx'), 'AnomaliesPage'),
  mailPage: lazyRouteComponent(() => import('./mail/mail-page.tsx'), 'MailPage'),
  signInCodePage: lazyRouteComponent(
    () => import('./sign-in/sign-in-code-page.tsx'),
    'SignInCodePage',
  ),
  forgotPasswordPage: lazyRouteComponent(
    () => import('./sign-in/forgot-password-page.tsx'),
    'ForgotPasswordPage',
  ),
  resetPasswordPage: lazyRouteComponent(
    () => import('./sign-in/reset-password-page.tsx'),
    'ResetPasswordPage',
  ),
  confirmEmailPage: lazyRouteComponent(
    () => import('./sign-in/confirm-email-page.tsx'),
    'ConfirmEmailPage',
  ),
}
