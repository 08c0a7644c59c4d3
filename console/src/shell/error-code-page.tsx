import { Anchor, Stack, Text, Title } from '@mantine/core'
import { errors, isErrorCode } from '@sluice/schema/errors'
import { getRouteApi, Link } from '@tanstack/react-router'

import { codeOf } from '../graph/problem.ts'
import { Page } from '../ui/page.tsx'
import { Words } from '../ui/words.tsx'
import { WholeNotFoundPage } from './not-found-page.tsx'

const route = getRouteApi('/errors/$code')

/** One code of the catalogue: what happened, why, and what to do. */
export function ErrorCodePage() {
  const { code } = route.useParams()
  if (!isErrorCode(code)) return <WholeNotFoundPage />
  const { cause, fix } = codeOf(code, {})
  return (
    <main id="main">
      <Page
        title={code}
        about={<Words>{errors[code].title.replaceAll(/\{(\w+)\}/g, '`$1`')}</Words>}
      >
        <section className="panel">
          <div className="panel-body">
            <Stack gap="md">
              <div>
                <Title order={2}>Status</Title>
                <Text size="sm">{errors[code].status}</Text>
              </div>
              <div>
                <Title order={2}>Why</Title>
                <Text size="sm">
                  <Words>{cause}</Words>
                </Text>
              </div>
              <div>
                <Title order={2}>What to do</Title>
                <Text size="sm">
                  <Words>{fix}</Words>
                </Text>
              </div>
            </Stack>
          </div>
        </section>
        <Anchor
          size="sm"
          mt="md"
          display="inline-block"
          renderRoot={(props) => <Link to="/" {...props} />}
        >
          Go to the console
        </Anchor>
      </Page>
    </main>
  )
}
