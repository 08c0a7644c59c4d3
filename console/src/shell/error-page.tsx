import type { ErrorComponentProps } from '@tanstack/react-router'

import { pageFailed } from '../graph/problem.ts'
import { Page } from '../ui/page.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'

/** What is left when a page breaks: the frame stays, the page says what to do. */
export function ErrorPage({ error }: ErrorComponentProps) {
  return (
    <Page title="This page stopped working">
      <section className="panel">
        <div className="panel-body">
          <ProblemNote problem={pageFailed(error)} onRetry={() => location.reload()} />
        </div>
      </section>
    </Page>
  )
}
