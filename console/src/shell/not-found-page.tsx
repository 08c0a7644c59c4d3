import { Button, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import { Page } from '../ui/page.tsx'

/** The same where no frame is around it. */
export function WholeNotFoundPage() {
  return (
    <main id="main">
      <NotFoundPage />
    </main>
  )
}

export function NotFoundPage() {
  return (
    <Page title="There is no such page" about={`Nothing is at ${location.pathname}.`}>
      <Text size="sm" mb="md">
        The link may be mistyped, or the page is of an organization that you are not a member of.
      </Text>
      <Button renderRoot={(props) => <Link to="/" {...props} />}>Go to your tunnels</Button>
    </Page>
  )
}
