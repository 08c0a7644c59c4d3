import { Navigate, useParams } from '@tanstack/react-router'

import { Door } from '../sign-in/door.tsx'
import { useClosedOrganizations } from '../sso/closed-organizations.ts'
import { goTo } from './chords.ts'
import { CreateOrganization } from './create-organization.tsx'
import { useMe } from './me.ts'
import { WholeNotFoundPage } from './not-found-page.tsx'
import { homeOf } from './organization.ts'

/** The address without a page: the tunnels of the organization used last, or the plan for whom tunnels are not. */
export function Home() {
  const home = homeOf(useMe())
  const isForTunnels = home?.viewerPermissions.includes('tunnels.read') ?? true
  return <HomeAt page={isForTunnels ? 'tunnels' : 'usage'} />
}

/** The pages of the account menu, which stand beside those of the organization. */
const accountPages: readonly string[] = ['security', 'mail']

/** `/authtokens` and the like: the same page of the organization used last. */
export function Shortcut() {
  const { page } = useParams({ from: '/in/$page' })
  const known: string[] = [...Object.values(goTo).map(({ path }) => path), ...accountPages]
  return known.includes(page) ? <HomeAt page={page} /> : <WholeNotFoundPage />
}

function HomeAt({ page }: { page: string }) {
  const home = homeOf(useMe())
  const { closed, isLoading } = useClosedOrganizations()
  if (home) return <Navigate to={`/o/${home.slug}/${page}` as '/'} replace />
  if (isLoading) return null
  const [first] = closed
  // Its page offers the single sign-on that it asks for.
  if (first) return <Navigate to="/o/$slug/tunnels" params={{ slug: first.slug }} replace />
  return (
    <Door
      title="No organization yet"
      about="Create one, or ask an owner or admin to add you to theirs."
    >
      <CreateOrganization />
    </Door>
  )
}
