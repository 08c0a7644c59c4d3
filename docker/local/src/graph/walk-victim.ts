import { addMember } from './members.ts'
import type {
  Actor,
  apiKeyActors,
  authtokenActors,
  Ids,
  roleActors,
  serviceActors,
} from './tenant-walk.ts'
import { attachDomain, createTunnel, putOnPlan, recordOf, tellRequests } from './traffic.ts'
import { eventually, type Person, type World } from './world.ts'

/** An organization that has everything, and everybody who asks for it. */
export interface Victim {
  readonly ids: Ids
  /** Credentials by the name of the actor. */
  readonly tokens: ReadonlyMap<string, string>
  readonly stranger: Person
  readonly owner: Person
}

const relayId = 'relay-of-walk'

export async function openVictim(world: World, who: Who): Promise<Victim> {
  const [owner, stranger, target] = await Promise.all([
    world.signUp('victim'),
    world.signUp('stranger'),
    world.signUp('target'),
  ])
  const { organizationId: organization, token } = owner
  const tokens = new Map([[who.stranger.name, stranger.token]])
  tokens.set(who.staff.name, await world.signInAdmin())
  await putOnPlan(world, owner, 'business')
  const tell: Tell = async (query, variables) => {
    const answer = await world.ask(query, variables, { token })
    if (answer.errors) throw new TypeError(answer.text)
    const [value] = Object.values(answer.data)
    return value as Told
  }

  await admit(world, owner, tell, who, tokens)
  const tunnel = await createTunnel(world, owner)
  const record = recordOf(tunnel)
  await tellRequests(world, [record])
  await registerRelay(world)
  const { authtoken } = await tell(
    'mutation($id: ID!) { createAuthtoken(organizationId: $id, name: "target") { authtoken { id } } }',
    { id: organization },
  )
  const { apiKey } = await tell(
    'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }',
    { input: { organizationId: organization, name: 'walk', permissions: ['tunnels.read'] } },
  )
  const { token: scimToken } = await tell(
    'mutation($input: CreateScimTokenInput!) { createScimToken(input: $input) { token { id } } }',
    { input: { organizationId: organization, name: 'walk' } },
  )
  const { endpoint } = await tell(
    'mutation($id: ID!, $input: WebhookEndpointInput!) { createWebhookEndpoint(organizationId: $id, input: $input) { endpoint { id } } }',
    { id: organization, input: { url: 'https://hooks.example.com/in', events: ['tunnel.online'] } },
  )
  await tell(
    'mutation($id: ID!) { createSsoConnection(organizationId: $id, kind: OIDC) { __typename } }',
    { id: organization },
  )
  const ids: Ids = {
    organization,
    tunnel: tunnel.id,
    domain: (await attachDomain(world, owner, tunnel)).id,
    request: record.id,
    member: await addMember(world, owner, target),
    role: (await createRole(tell, organization, 'Walk')).id,
    invitation: (
      await tell('mutation($input: InviteMemberInput!) { inviteMember(input: $input) { id } }', {
        input: { organizationId: organization, email: 'asked@example.test', role: 'VIEWER' },
      })
    ).id,
    authtoken: idOf(authtoken),
    'api-key': idOf(apiKey),
    'service-account': (
      await tell(
        'mutation($id: ID!) { createServiceAccount(organizationId: $id, name: "walk", role: VIEWER) { id } }',
        { id: organization },
      )
    ).id,
    'scim-token': idOf(scimToken),
    'scim-group': await insert(world, organization, 'scim_group', {
      version: 1,
      display_name: 'Walk',
      created_at: 'now',
      changed_at: 'now',
    }),
    'audit-stream': await insert(world, organization, 'audit_stream', {
      name: 'walk',
      kind: 'webhook',
      url: 'https://192.0.2.1/audit',
      sealed_secret: '',
      sealing_key_id: '',
      is_on: false,
      delivered: 0,
      failures: 0,
      next_at: 'infinity',
      created_at: 'now',
    }),
    'sign-in': await otherSignIn(world, owner),
    passkey: crypto.randomUUID(),
    'social-link': crypto.randomUUID(),
    'email-domain': (
      await tell(
        'mutation($id: ID!) { addEmailDomain(organizationId: $id, domain: "walk.example.org") { id } }',
        { id: organization },
      )
    ).id,
    'webhook-endpoint': idOf(endpoint),
    'webhook-delivery': (
      await tell('mutation($id: ID!) { sendTestWebhook(id: $id) { id } }', {
        id: idOf(endpoint),
      })
    ).id,
    user: target.userId,
    impersonation: crypto.randomUUID(),
    mail: crypto.randomUUID(),
    relay: relayId,
  }
  await stored(world, record.id, token)
  // The first use of a sign-in is noted.
  for (const used of tokens.values()) await world.ask('{ viewer { kind } }', {}, { token: used })
  await freeze(world)
  return { ids, tokens, stranger, owner }
}

type Told = Record<string, never> & { id: string }
/** Asks as the owner, and returns the one field of the answer. */
type Tell = (query: string, variables: Record<string, unknown>) => Promise<Told>

interface Who {
  roleActors: typeof roleActors
  authtokenActors: typeof authtokenActors
  serviceActors: typeof serviceActors
  apiKeyActors: typeof apiKeyActors
  nothing: Actor
  stranger: Actor
  staff: Actor
}

function createRole(tell: Tell, organizationId: string, name: string): Promise<Told> {
  return tell('mutation($input: CreateRoleInput!) { createRole(input: $input) { id } }', {
    input: { organizationId, name, permissions: [] },
  })
}

/** Takes a member of each role in, and makes an authtoken of each set of scopes. */
async function admit(
  world: World,
  owner: Person,
  tell: Tell,
  who: Who,
  tokens: Map<string, string>,
): Promise<void> {
  const { organizationId: organization, token } = owner
  const join = async (name: string, role: string): Promise<string> => {
    const person = await world.signUp(name)
    await addMember(world, owner, person, role)
    return person.token
  }
  await Promise.all(
    who.roleActors.map(async ({ name, role }) =>
      tokens.set(name, role === 'OWNER' ? token : await join(role.toLowerCase(), role)),
    ),
  )
  const { id: customRoleId } = await createRole(tell, organization, 'Nothing')
  const powerless = await world.signUp('nothing')
  tokens.set(who.nothing.name, powerless.token)
  await tell(
    'mutation($memberId: ID!, $customRoleId: ID!) { changeMemberRole(memberId: $memberId, customRoleId: $customRoleId) { id } }',
    { memberId: await addMember(world, owner, powerless), customRoleId },
  )
  for (const { name, scopes } of who.authtokenActors) {
    const made = await tell(
      'mutation($id: ID!, $scopes: [AuthtokenScope!]) { createAuthtoken(organizationId: $id, name: "walk", scopes: $scopes) { id: secret } }',
      { id: organization, scopes },
    )
    tokens.set(name, made.id)
  }
  for (const { name, role } of who.serviceActors) {
    const account = await tell(
      'mutation($id: ID!, $name: String!, $role: Role) { createServiceAccount(organizationId: $id, name: $name, role: $role) { id } }',
      { id: organization, name, role },
    )
    const made = await tell(
      'mutation($id: ID!, $for: ID) { createAuthtoken(organizationId: $id, name: "walk", serviceAccountId: $for) { id: secret } }',
      { id: organization, for: account.id },
    )
    tokens.set(name, made.id)
  }
  for (const { name, permissionNames: permissions } of who.apiKeyActors) {
    const made = await tell(
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { id: secret } }',
      { input: { organizationId: organization, name: 'walk', permissions } },
    )
    tokens.set(name, made.id)
  }
}

/** A row of identity that no field of the graph makes without a partner outside. */
async function insert(
  world: World,
  organizationId: string,
  table: string,
  row: Record<string, unknown>,
): Promise<string> {
  const id = crypto.randomUUID()
  const whole = { id, organization_id: organizationId, ...row }
  const names = Object.keys(whole)
  const places = names.map((_, at) => `$${at + 1}`).join(', ')
  await world.sql(
    `insert into identity.${table} (${names.join(', ')}) values (${places})`,
    Object.values(whole),
  )
  return id
}

async function stored(world: World, id: string, token: string): Promise<void> {
  await eventually(async () => {
    const text = 'query($id: ID!) { capturedRequest(id: $id) { id } }'
    return (await world.ask(text, { id }, { token })).data.capturedRequest !== null
  })
}

const idOf = (row: unknown): string => (row as { id: string }).id

async function registerRelay(world: World): Promise<void> {
  const registered = await world.ask(
    `mutation($id: ID!) { registerRelay(input: { id: $id, region: "eu", edgeUrl: "ws://edge.test",
      publicHttpUrl: "http://tunnel.localhost", version: "1", capacity: 10 }) { id } }`,
    { id: relayId },
    { token: world.relayKey },
  )
  if (registered.errors) throw new TypeError(registered.text)
}

/** A second sign-in of somebody, so that ending it would end nothing else. */
async function otherSignIn(world: World, { email }: Person): Promise<string> {
  const { token } = await world.signIn(email)
  const { data } = await world.ask('{ signIns { id isCurrent } }', {}, { token })
  return data.signIns.find(({ isCurrent }: { isCurrent: boolean }) => isCurrent).id
}

/** How PostgreSQL refuses a write during the walk. */
export const writeRefused = 'a write during the walk'

/**
 * From here on PostgreSQL refuses every write that a field asks for: whoever is let in is told of a failure, and all find
 * the same rows. What the parts note by themselves goes on.
 */
async function freeze(world: World): Promise<void> {
  await world.sql(`create function public.frozen() returns trigger language plpgsql as $$
    begin
      if current_query() !~ 'last_used|published_at|announced_at|sealed' then
        raise exception '${writeRefused}: % %', tg_op, tg_table_name;
      end if;
      return case tg_op when 'DELETE' then old else new end;
    end $$`)
  // A trigger of a partitioned table holds for its partitions.
  await world.sql(`do $$ declare one regclass; begin
    for one in select oid from pg_class
      where relnamespace in (select oid from pg_namespace where nspname in ('identity', 'tunnels', 'domains', 'billing'))
        and relkind in ('r', 'p') and not relispartition
        and relname !~ '^(inbox_|migrations|audit_link|audit_unsealed|audit_signed_head|security_anomaly)'
    loop
      execute format('create trigger frozen before insert or update or delete on %s
        for each row execute function public.frozen()', one);
    end loop;
  end $$`)
}

/** Lets fields write again. */
export async function thaw(world: World): Promise<void> {
  await world.sql('drop function public.frozen() cascade')
}
