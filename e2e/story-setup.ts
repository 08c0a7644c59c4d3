import { afterEach, beforeEach } from 'vitest'

let failed: string | null = null

// A scenario is one story: after a failed step the next ones say nothing. The other scenarios have theirs to tell.
beforeEach(({ skip }) => skip(failed !== null, `after "${failed}" failed`))
afterEach(({ task }) => {
  if (task.result?.state === 'fail') failed ??= task.name
})
