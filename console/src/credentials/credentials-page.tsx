import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState, type ReactNode } from 'react'

import type { ChangeApiKeyMutationVariables } from '../gql/graphql.ts'
import { loadedOf } from '../graph/loaded.ts'
import type { usePages } from '../graph/use-pages.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Empty } from '../ui/empty.tsx'
import { LoadMore } from '../ui/load-more.tsx'
import { Page } from '../ui/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { useAction } from '../ui/use-action.ts'
import { ChangeDialog } from './change-dialog.tsx'
import { CredentialTable, type Act, type Credential } from './credential-table.tsx'
import { RotateDialog } from './rotate-dialog.tsx'

/** What is done to one credential of a kind. */
interface Mutations<Rotated> {
  readonly rotate: TypedDocumentNode<Rotated, { id: string; overlapSeconds: number }>
  readonly secretOf: (rotated: Rotated) => string
  readonly change: TypedDocumentNode<unknown, ChangeApiKeyMutationVariables>
  readonly revoke: TypedDocumentNode<unknown, { id: string }>
}

interface Props<Row extends Credential, Rotated> {
  readonly title: string
  readonly about: string
  /** One, and many of them. */
  readonly what: readonly [one: string, many: string]
  readonly pages: ReturnType<typeof usePages<unknown, { after?: string }, Row>>
  /** Where the list stands in the answer. */
  readonly path: string
  readonly mayChange: boolean
  /** A constant of the module. */
  readonly mutations: Mutations<Rotated>
  /** What one may do, under its heading. */
  readonly scope: { readonly heading: string; readonly of: (row: Row) => ReactNode }
  /** What is to be known of who made it, beside their name. */
  readonly makerNote?: (row: Row) => ReactNode
  readonly emptyHint: ReactNode
  readonly revokeEffect: string
  /** How a new secret is shown, this once. */
  readonly show: (secret: string) => ReactNode
  readonly createDialog: (dialog: {
    readonly isOpen: boolean
    readonly onClose: () => void
    readonly onCreated: () => void
  }) => ReactNode
}

/** The list of authtokens or API keys, and all that is done to one. */
export function CredentialsPage<Row extends Credential, Rotated>(props: Props<Row, Rotated>) {
  const { title, about, what, pages, path, mayChange, mutations, createDialog, show } = props
  const [one, many] = what
  const [isCreating, creating] = useDisclosure(false)
  const [acting, setActing] = useState<{ act: Act; row: Row } | null>(null)
  const rotate = useAction(mutations.rotate)
  const change = useAction(mutations.change)
  const revoke = useAction(mutations.revoke)
  const list = loadedOf(pages, {
    path,
    pick: () => pages.nodes,
    isEmpty: (rows) => rows.length === 0,
  })
  const rowIn = (act: Act) => (acting?.act === act ? acting.row : null)
  const close = () => {
    rotate.reset()
    change.reset()
    setActing(null)
  }
  const create = mayChange && <Button onClick={creating.open}>Create {article(one)}</Button>

  return (
    <Page title={title} about={about} actions={create}>
      <Panel
        of={list}
        isFlush
        onRetry={pages.refetch}
        empty={
          <Empty title={`No ${one} yet`} action={create}>
            {props.emptyHint}
          </Empty>
        }
      >
        {(rows) => (
          <>
            <CredentialTable
              label={title}
              rows={rows}
              scope={props.scope}
              makerNote={props.makerNote}
              onAct={mayChange ? (act, row) => setActing({ act, row }) : null}
            />
            <LoadMore {...pages} count={rows.length} what={[one, many]} />
          </>
        )}
      </Panel>
      {createDialog({ isOpen: isCreating, onClose: creating.close, onCreated: pages.refetch })}
      <RotateDialog
        name={rowIn('rotate')?.name ?? null}
        what={one}
        isBusy={rotate.isBusy}
        problem={rotate.problem}
        onRotate={async (overlapSeconds) => {
          const id = rowIn('rotate')?.id
          if (id === undefined) return null
          const { data } = await rotate.run({ id, overlapSeconds })
          if (data) pages.refetch()
          return data ? mutations.secretOf(data) : null
        }}
        onClose={close}
        show={show}
      />
      <ChangeDialog
        row={rowIn('change')}
        isBusy={change.isBusy}
        problem={change.problem}
        onChange={async (terms) => {
          const id = rowIn('change')?.id
          if (id === undefined) return
          const { data } = await change.run({ id, terms })
          if (!data) return
          pages.refetch()
          close()
        }}
        onClose={close}
      />
      <Confirm
        isOpen={rowIn('revoke') !== null}
        title={`Revoke ${rowIn('revoke')?.name}?`}
        effect={props.revokeEffect}
        action={`Revoke the ${one}`}
        onClose={close}
        onConfirm={async () => {
          const id = rowIn('revoke')?.id
          if (id === undefined) return null
          const { problem } = await revoke.run({ id })
          if (!problem) pages.refetch()
          return problem
        }}
      />
    </Page>
  )
}

/** Both kinds begin with a vowel. */
const article = (one: string) => `an ${one}`
