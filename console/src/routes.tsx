import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router'

import { auditSearchOf } from './audit/filter.ts'
import { parseRequestSearch } from './requests/request-filter.ts'
import { ErrorPage } from './shell/error-page.tsx'
import { NotFoundPage, WholeNotFoundPage } from './shell/not-found-page.tsx'
import type { BrowserSignIn } from './sign-in/browser-sign-in.ts'
import { problemSearchOf } from './sign-in/problem-search.ts'
import { SignInPage } from './sign-in/sign-in-page.tsx'
import { SignUpPage } from './sign-in/sign-up-page.tsx'

/** What is loaded on its own, when it is first shown or a moment before. */
const pages = {
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
  adminBlocksPage: lazyRouteComponent(() => import('./admin/blocks-page.tsx'), 'BlocksPage'),
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

/** The others are fetched this long after the first page, so that they open while the server is away. */
const preloadAfterMs = 2_000

interface RouteContext {
  readonly signIn: BrowserSignIn
}

interface DoorSearch {
  readonly to?: string | undefined
  readonly problem?: string | undefined
}

const root = createRootRouteWithContext<RouteContext>()({
  component: Outlet,
  notFoundComponent: WholeNotFoundPage,
})

const goHomeWhenIn = ({ context }: { context: RouteContext }) => {
  if (context.signIn.state().kind === 'in') redirect({ to: '/', throw: true })
}

const signInRoute = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  // The router keeps what is not overwritten, so that a refused value must be named as undefined.
  validateSearch: (raw: Record<string, unknown>): DoorSearch => ({
    to: ownPathOf(raw['to']),
    ...problemSearchOf(raw),
  }),
  beforeLoad: ({ context, search }) => {
    if (context.signIn.state().kind === 'in') redirect({ href: search.to ?? '/', throw: true })
  },
  component: SignInPage,
})

/** Where a sign-in through another account goes on when a second factor is on. */
const signInCode = createRoute({
  getParentRoute: () => root,
  path: '/sign-in/code',
  validateSearch: (raw: Record<string, unknown>): DoorSearch => ({ to: ownPathOf(raw['to']) }),
  component: pages.signInCodePage,
})

const ssoSignIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in/sso',
  validateSearch: (raw: Record<string, unknown>): { to?: string | undefined } => ({
    to: ownPathOf(raw['to']),
  }),
  component: pages.ssoSignInPage,
})

const signUpRoute = createRoute({
  getParentRoute: () => root,
  path: '/sign-up',
  beforeLoad: goHomeWhenIn,
  component: SignUpPage,
})

const forgotPassword = createRoute({
  getParentRoute: () => root,
  path: '/forgot-password',
  component: pages.forgotPasswordPage,
})

/** Where links in mails lead. Whoever opens them may be signed in here or not. */
const resetPassword = createRoute({
  getParentRoute: () => root,
  path: '/reset-password',
  component: pages.resetPasswordPage,
})

const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  component: pages.invitationPage,
})

const confirmEmail = createRoute({
  getParentRoute: () => root,
  path: '/confirm-email',
  component: pages.confirmEmailPage,
})

/** What a code means, for whoever met it: a visitor, an agent's screen, a log line. No sign-in is asked for. */
const errorCode = createRoute({
  getParentRoute: () => root,
  path: '/errors/$code',
  component: pages.errorCodePage,
})

const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'in',
  beforeLoad: ({ context, location }) => {
    if (context.signIn.state().kind === 'in') return
    redirect({
      to: '/sign-in',
      search: location.href === '/' ? {} : { to: location.href },
      throw: true,
    })
  },
  component: pages.signedIn,
})

const home = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  component: pages.home,
})

/** `/authtokens` without an organization, as the CLI and the documents name it. */
const shortcut = createRoute({
  getParentRoute: () => signedIn,
  path: '/$page',
  component: pages.shortcut,
})

const organization = createRoute({
  getParentRoute: () => signedIn,
  path: '/o/$slug',
  component: pages.organizationShell,
})

const organizationIndex = createRoute({
  getParentRoute: () => organization,
  path: '/',
  beforeLoad: ({ params }) => {
    redirect({ to: '/o/$slug/tunnels', params, throw: true })
  },
})

const start = createRoute({
  getParentRoute: () => organization,
  path: '/start',
  component: pages.getStartedPage,
})

const tunnels = createRoute({
  getParentRoute: () => organization,
  path: '/tunnels',
  component: pages.tunnelsPage,
})

const tunnel = createRoute({
  getParentRoute: () => organization,
  path: '/tunnels/$tunnelId',
  component: pages.tunnelPage,
})

const requests = createRoute({
  getParentRoute: () => organization,
  path: '/requests',
  validateSearch: parseRequestSearch,
  component: pages.requestsPage,
})

const authtokens = createRoute({
  getParentRoute: () => organization,
  path: '/authtokens',
  component: pages.authtokensPage,
})

const apiKeys = createRoute({
  getParentRoute: () => organization,
  path: '/api-keys',
  component: pages.apiKeysPage,
})

const serviceAccounts = createRoute({
  getParentRoute: () => organization,
  path: '/service-accounts',
  component: pages.serviceAccountsPage,
})

const webhooks = createRoute({
  getParentRoute: () => organization,
  path: '/webhooks',
  validateSearch: ({ endpoint }: Record<string, unknown>): { endpoint?: string | undefined } => ({
    endpoint: typeof endpoint === 'string' && endpoint !== '' ? endpoint : undefined,
  }),
  component: pages.webhooksPage,
})

const partners = createRoute({
  getParentRoute: () => organization,
  path: '/partner-api',
  component: pages.partnersPage,
})

const members = createRoute({
  getParentRoute: () => organization,
  path: '/members',
  component: pages.membersPage,
})

const roles = createRoute({
  getParentRoute: () => organization,
  path: '/roles',
  component: pages.rolesPage,
})

const settings = createRoute({
  getParentRoute: () => organization,
  path: '/settings',
  component: pages.settingsPage,
})

const usage = createRoute({
  getParentRoute: () => organization,
  path: '/usage',
  component: pages.usagePage,
})

const domains = createRoute({
  getParentRoute: () => organization,
  path: '/domains',
  component: pages.domainsPage,
})

const audit = createRoute({
  getParentRoute: () => organization,
  path: '/audit',
  validateSearch: auditSearchOf,
  component: pages.auditPage,
})

const scim = createRoute({
  getParentRoute: () => organization,
  path: '/scim',
  component: pages.scimPage,
})

const sso = createRoute({
  getParentRoute: () => organization,
  path: '/sso',
  validateSearch: problemSearchOf,
  component: pages.ssoPage,
})

const security = createRoute({
  getParentRoute: () => organization,
  path: '/security',
  validateSearch: problemSearchOf,
  component: pages.securityPage,
})

const mail = createRoute({
  getParentRoute: () => organization,
  path: '/mail',
  component: pages.mailPage,
})

const anomalies = createRoute({
  getParentRoute: () => organization,
  path: '/anomalies',
  component: pages.anomaliesPage,
})

/** For staff of the platform, outside all organizations. */
const admin = createRoute({
  getParentRoute: () => signedIn,
  path: '/admin',
  component: pages.adminShell,
})

const adminIndex = createRoute({
  getParentRoute: () => admin,
  path: '/',
  beforeLoad: () => {
    redirect({ to: '/admin/users', throw: true })
  },
})

const adminUsers = createRoute({
  getParentRoute: () => admin,
  path: '/users',
  component: pages.adminUsersPage,
})

const adminUser = createRoute({
  getParentRoute: () => admin,
  path: '/users/$userId',
  component: pages.adminUserPage,
})

const adminOrganizations = createRoute({
  getParentRoute: () => admin,
  path: '/organizations',
  component: pages.adminOrganizationsPage,
})

const adminOrganization = createRoute({
  getParentRoute: () => admin,
  path: '/organizations/$organizationId',
  component: pages.adminOrganizationPage,
})

const adminHosts = createRoute({
  getParentRoute: () => admin,
  path: '/hosts',
  component: pages.adminHostsPage,
})

const adminBlocks = createRoute({
  getParentRoute: () => admin,
  path: '/blocks',
  component: pages.adminBlocksPage,
})

const adminAnomalies = createRoute({
  getParentRoute: () => admin,
  path: '/anomalies',
  component: pages.adminAnomaliesPage,
})

const routeTree = root.addChildren([
  signInRoute,
  signInCode,
  ssoSignIn,
  signUpRoute,
  forgotPassword,
  resetPassword,
  confirmEmail,
  invitation,
  errorCode,
  signedIn.addChildren([
    home,
    shortcut,
    admin.addChildren([
      adminIndex,
      adminUsers,
      adminUser,
      adminOrganizations,
      adminOrganization,
      adminHosts,
      adminBlocks,
      adminAnomalies,
    ]),
    organization.addChildren([
      organizationIndex,
      start,
      tunnels,
      tunnel,
      requests,
      authtokens,
      apiKeys,
      serviceAccounts,
      webhooks,
      partners,
      members,
      roles,
      settings,
      usage,
      domains,
      audit,
      anomalies,
      sso,
      scim,
      security,
      mail,
    ]),
  ]),
])

export function createConsoleRouter(signIn: BrowserSignIn) {
  const router = createRouter({
    routeTree,
    context: { signIn },
    defaultPreload: 'intent',
    defaultErrorComponent: ErrorPage,
    defaultNotFoundComponent: NotFoundPage,
    scrollRestoration: true,
  })
  // From the first navigation on, pages take the focus when they appear.
  router.subscribe('onBeforeNavigate', ({ fromLocation, pathChanged }) => {
    if (fromLocation && pathChanged) document.body.dataset['navigated'] = 'yes'
  })
  const stop = router.subscribe('onResolved', () => {
    stop()
    setTimeout(() => {
      // A page that cannot be had now is fetched when it is opened.
      for (const { preload } of Object.values(pages)) preload?.()?.catch(() => undefined)
    }, preloadAfterMs)
  })
  return router
}

export type ConsoleRouter = ReturnType<typeof createConsoleRouter>

declare module '@tanstack/react-router' {
  interface Register {
    router: ConsoleRouter
  }
}

/** Only a path of this console: `//host` would leave it. */
function ownPathOf(to: unknown): string | undefined {
  return typeof to === 'string' && /^\/(?![/\\])/.test(to) ? to : undefined
}
