/**
 * SQL: whether a sign-in enters the organization of a membership of its user; `now` stands twice for the present.
 *
 * A sign-in of one's own enters every organization but those that require single sign-on: there it takes a proof that it
 * passed, or an owner with a second factor, who can come in when the identity provider fails. A sign-in that single
 * sign-on has started enters the organization of its proof and no other, and never as owner: what an identity provider
 * says is believed in its own organization alone.
 */
export function enteredBy({
  signIn,
  member,
  now,
}: {
  signIn: string
  member: string
  now: string
}): string {
  const proven = `exists (select 1 from "identity"."sso_proof" proof
    join "identity"."sso_connection" proven on proven.id = proof.connection_id and proven.enforcement <> 'OFF'
    where proof.sign_in_id = ${signIn}.id and proven.organization_id = ${member}.organization_id
      and proof.expires_at > ${now})`
  const required = `exists (select 1 from "identity"."sso_connection" required
    where required.organization_id = ${member}.organization_id and required.enforcement = 'REQUIRED')`
  const ownerWithSecondFactor = `(${member}.role = 'OWNER' and exists (select 1 from "identity"."second_factor" factor
    where factor.user_id = ${member}.user_id and factor.confirmed_at is not null))`
  return `(case when ${signIn}.sso_only then ${member}.role <> 'OWNER' and ${proven}
    else not ${required} or ${ownerWithSecondFactor} or ${proven} end)`
}
