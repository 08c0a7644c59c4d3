import { eventually, type Person, type World } from './world.ts'

/** Invites somebody, opens the link of the mail, and returns the id of the member. The role is a built-in one. */
export async function addMember(
  world: World,
  owner: Person,
  { email, token, userId }: Person,
  role = 'VIEWER',
): Promise<string> {
  const { organizationId } = owner
  const invited = await world.ask(
    'mutation($input: InviteMemberInput!) { inviteMember(input: $input) { id } }',
    { input: { organizationId, email, role } },
    { token: owner.token },
  )
  if (invited.errors) throw new TypeError(invited.text)
  let link = ''
  await eventually(async () => {
    const [mail] = await world.sql<{ text: string }>(
      `select text from identity.mail where invitation_id = $1 and outcome = 'kept'`,
      [invited.data.inviteMember.id],
    )
    link = /\/invitation#([\w-]+)/.exec(mail?.text ?? '')?.[1] ?? ''
    return link !== ''
  })
  const accepted = await world.ask(
    'mutation($token: String!) { acceptInvitation(token: $token) { id } }',
    { token: link },
    { token },
  )
  if (accepted.errors) throw new TypeError(accepted.text)
  const [member] = await world.sql<{ id: string }>(
    'select id from identity.member where organization_id = $1 and user_id = $2',
    [organizationId, userId],
  )
  return member?.id ?? ''
}
