import { Button } from '@mantine/core'

import { StartSsoDocument } from '../gql/graphql.ts'
import { Door } from '../sign-in/door.tsx'
import { leaveFor } from '../sign-in/providers.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useAction } from '../ui/use-action.ts'

interface Props {
  readonly organization: { readonly id: string; readonly name: string }
  /** The path to come back to. */
  readonly returnTo: string
}

/** In place of an organization that asks for its single sign-on first. */
export function ClosedOrganization({ organization, returnTo }: Props) {
  const { run, isBusy, problem } = useAction(StartSsoDocument)
  const start = async () => {
    const { data } = await run({ organizationId: organization.id, returnTo })
    if (data) leaveFor(data.startSso)
  }
  return (
    <Door
      title={organization.name}
      about="This organization asks its members to sign in at its own identity provider, once a day."
    >
      {problem && <ProblemNote problem={problem} />}
      <Button loading={isBusy} onClick={() => void start()} fullWidth>
        Continue with single sign-on
      </Button>
    </Door>
  )
}
