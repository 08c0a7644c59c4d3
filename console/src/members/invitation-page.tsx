import { Anchor, Button, Loader, Stack, Text, TextInput } from '@mantine/core'
import { Link, useRouter } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import type { FormEvent } from 'react'

import {
  AcceptInvitationDocument,
  InvitationOfferDocument,
  SignUpDocument,
} from '../gql/graphql.ts'
import type { InvitationOfferQuery } from '../gql/graphql.ts'
import type { Problem } from '../graph/problem.ts'
import { problemAt, unreachable } from '../graph/problem.ts'
import { isRole, roles } from '../shell/organization.ts'
import { grantOf } from '../sign-in/browser-sign-in.ts'
import { Door } from '../sign-in/door.tsx'
import { useDoor, useSignInState } from '../sign-in/sign-in-context.ts'
import { formText, passwordOf } from '../ui/form-text.ts'
import { NewPassword } from '../ui/new-password.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useInvitationToken } from './invitation-token.ts'

type Offer = InvitationOfferQuery['invitation']

/** Where the link of an invitation leads, signed in or not. */
export function InvitationPage() {
  const { anonymous } = useDoor()
  const { token, forget } = useInvitationToken()
  const [offer, setOffer] = useState<Offer | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)

  useEffect(() => {
    void anonymous
      .query(InvitationOfferDocument, { token })
      .toPromise()
      .then(({ data, error }) => {
        if (data) return setOffer(data.invitation)
        forget()
        return setProblem(problemAt(error) ?? unreachable('the answer was empty'))
      })
  }, [anonymous, token, forget])

  if (!offer) {
    return (
      <Door title="Invitation" about="To an organization on this server.">
        {problem ? <ProblemNote problem={problem} /> : <Loader aria-label="Loading" />}
        <ToConsole />
      </Door>
    )
  }
  const role = isRole(offer.roleName) ? roles[offer.roleName].label : offer.roleName
  return (
    <Door
      title={`Join ${offer.organizationName}`}
      about={`You are invited as ${role}, with the address ${offer.email}.`}
    >
      <Answer offer={offer} token={token} onDone={forget} />
      <ToConsole />
    </Door>
  )
}

interface AnswerProps {
  readonly offer: Offer
  readonly token: string
  readonly onDone: () => void
}

function Answer(props: AnswerProps) {
  const state = useSignInState()
  if (state.kind === 'in') return <Accept {...props} />
  if (!props.offer.hasAccount) return <SignUp {...props} />
  return (
    <Button
      fullWidth
      renderRoot={(root) => <Link to="/sign-in" search={{ to: '/invitation' }} {...root} />}
    >
      Sign in to join
    </Button>
  )
}

function Accept({ token, onDone }: AnswerProps) {
  const { signIn, anonymous } = useDoor()
  const router = useRouter()
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)

  const accept = async () => {
    setBusy(true)
    setProblem(null)
    const authorization = `Bearer ${await signIn.freshToken()}`
    const { data, error } = await anonymous
      .mutation(
        AcceptInvitationDocument,
        { token },
        { fetchOptions: { headers: { authorization } } },
      )
      .toPromise()
    setBusy(false)
    if (!data) return setProblem(problemAt(error) ?? unreachable('the answer was empty'))
    onDone()
    router.history.push(`/o/${data.acceptInvitation.slug}/tunnels`)
  }

  return (
    <>
      {problem && <ProblemNote problem={problem} />}
      <Button onClick={() => void accept()} loading={isBusy} fullWidth autoFocus>
        Join the organization
      </Button>
    </>
  )
}

function SignUp({ offer, token, onDone }: AnswerProps) {
  const { signIn, anonymous } = useDoor()
  const router = useRouter()
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    setBusy(true)
    const { data, error } = await anonymous
      .mutation(SignUpDocument, {
        input: {
          name: formText(form, 'name'),
          email: offer.email,
          password: passwordOf(form),
          invitation: token,
        },
      })
      .toPromise()
    setBusy(false)
    if (!data) return setProblem(problemAt(error) ?? unreachable('the answer was empty'))
    onDone()
    signIn.accept(grantOf(data.signUp))
    router.history.push('/start')
  }

  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        {problem && <ProblemNote problem={problem} />}
        <TextInput label="Name" name="name" autoComplete="name" required autoFocus />
        <TextInput
          label="Email"
          value={offer.email}
          readOnly
          description="It is confirmed by the link."
          autoComplete="username"
        />
        <NewPassword />
        <Button type="submit" loading={isBusy} fullWidth mt="xs">
          Sign up and join
        </Button>
      </Stack>
    </form>
  )
}

function ToConsole() {
  return (
    <Text size="sm">
      <Anchor renderRoot={(props) => <Link to="/" {...props} />} underline="always">
        Go to the console
      </Anchor>
    </Text>
  )
}
