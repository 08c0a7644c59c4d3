import { TransferOwnershipDocument } from '../gql/graphql.ts'
import { usePlace } from '../shell/organization.ts'
import { Confirm } from '../ui/confirm.tsx'
import { useAction } from '../ui/use-action.ts'

interface Props {
  /** Who is to become owner; null while nobody is asked about. */
  readonly heir: { id: string; user: { name: string; email: string } } | null
  readonly onClose: () => void
  readonly onDone: () => Promise<void>
}

export function TransferOwnership({ heir, onClose, onDone }: Props) {
  const { organization } = usePlace()
  const { run } = useAction(TransferOwnershipDocument)
  return (
    <Confirm
      isOpen={heir !== null}
      title={`Make ${heir?.user.name} the owner?`}
      effect={`${heir?.user.email} may do everything in ${organization.name} from then on, and you stay as admin. Only they can give it back.`}
      action="Give the organization away"
      onClose={onClose}
      onConfirm={async () => {
        if (!heir) return null
        const { problem } = await run({ memberId: heir.id })
        if (!problem) await onDone()
        return problem
      }}
    />
  )
}
