import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Outlet,
  redirect,
  type RouteComponent,
} from '@tanstack/react-router'

import { auditSearchOf } from './audit/filter.ts'
import { pages } from './pages.ts'
import { parseRequestSearch } from './requests/request-filter.ts'
import { ErrorPage } from './shell/error-page.tsx'
import { NotFoundPage, WholeNotFoundPage } from './shell/not-found-page.tsx'
import type { BrowserSignIn } from './sign-in/browser-sign-in.ts'
import { problemSearchOf } from './sign-in/problem-search.ts'
import { SignInPage } from './sign-in/sign-in-page.tsx'
import { SignUpPage } from './sign-in/sign-up-page.tsx'

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

const atRoot = <Path extends string>(path: Path, component: RouteComponent) =>
  createRoute({ getParentRoute: () => root, path, component })

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

const forgotPassword = atRoot('/forgot-password', pages.forgotPasswordPage)

/** Where links in mails lead. Whoever opens them may be signed in here or not. */
const resetPassword = atRoot('/reset-password', pages.resetPasswordPage)
const invitation = atRoot('/invitation', pages.invitationPage)
const confirmEmail = atRoot('/confirm-email', pages.confirmEmailPage)

/** What a code means, for whoever met it: a visitor, an agent's screen, a log line. No sign-in is asked for. */
const errorCode = atRoot('/errors/$code', pages.errorCodePage)

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

const inOrganization = <Path extends string>(path: Path, component: RouteComponent) =>
  createRoute({ getParentRoute: () => organization, path, component })

const organizationIndex = createRoute({
  getParentRoute: () => organization,
  path: '/',
  beforeLoad: ({ params }) => {
    redirect({ to: '/o/$slug/tunnels', params, throw: true })
  },
})

const start = inOrganization('/start', pages.getStartedPage)
const tunnels = inOrganization('/tunnels', pages.tunnelsPage)
const tunnel = inOrganization('/tunnels/$tunnelId', pages.tunnelPage)

const requests = createRoute({
  getParentRoute: () => organization,
  path: '/requests',
  validateSearch: parseRequestSearch,
  component: pages.requestsPage,
})

const authtokens = inOrganization('/authtokens', pages.authtokensPage)
const apiKeys = inOrganization('/api-keys', pages.apiKeysPage)
const serviceAccounts = inOrganization('/service-accounts', pages.serviceAccountsPage)

const webhooks = createRoute({
  getParentRoute: () => organization,
  path: '/webhooks',
  validateSearch: ({ endpoint }: Record<string, unknown>): { endpoint?: string | undefined } => ({
    endpoint: typeof endpoint === 'string' && endpoint !== '' ? endpoint : undefined,
  }),
  component: pages.webhooksPage,
})

const partners = inOrganization('/partner-api', pages.partnersPage)
const members = inOrganization('/members', pages.membersPage)
const roles = inOrganization('/roles', pages.rolesPage)
const settings = inOrganization('/settings', pages.settingsPage)
const usage = inOrganization('/usage', pages.usagePage)
const domains = inOrganization('/domains', pages.domainsPage)

const audit = createRoute({
  getParentRoute: () => organization,
  path: '/audit',
  validateSearch: auditSearchOf,
  component: pages.auditPage,
})

const scim = inOrganization('/scim', pages.scimPage)

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

const mail = inOrganization('/mail', pages.mailPage)
const anomalies = inOrganization('/anomalies', pages.anomaliesPage)

/** For staff of the platform, outside all organizations. */
const admin = createRoute({
  getParentRoute: () => signedIn,
  path: '/admin',
  component: pages.adminShell,
})

const inAdmin = <Path extends string>(path: Path, component: RouteComponent) =>
  createRoute({ getParentRoute: () => admin, path, component })

const adminIndex = createRoute({
  getParentRoute: () => admin,
  path: '/',
  beforeLoad: () => {
    redirect({ to: '/admin/users', throw: true })
  },
})

const adminSearchOf = ({ search }: Record<string, unknown>): { search?: string | undefined } => ({
  search: typeof search === 'string' && search !== '' ? search : undefined,
})

const adminUsers = createRoute({
  getParentRoute: () => admin,
  path: '/users',
  validateSearch: adminSearchOf,
  component: pages.adminUsersPage,
})
const adminUser = inAdmin('/users/$userId', pages.adminUserPage)
const adminOrganizations = createRoute({
  getParentRoute: () => admin,
  path: '/organizations',
  validateSearch: adminSearchOf,
  component: pages.adminOrganizationsPage,
})
const adminOrganization = inAdmin('/organizations/$organizationId', pages.adminOrganizationPage)
const adminAudit = createRoute({
  getParentRoute: () => admin,
  path: '/audit',
  validateSearch: auditSearchOf,
  component: pages.adminAuditPage,
})
const adminHosts = inAdmin('/hosts', pages.adminHostsPage)
const adminBlocks = inAdmin('/blocks', pages.adminBlocksPage)
const adminKeys = inAdmin('/keys', pages.adminKeysPage)
const adminAnomalies = inAdmin('/anomalies', pages.adminAnomaliesPage)

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
      adminAudit,
      adminBlocks,
      adminKeys,
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
