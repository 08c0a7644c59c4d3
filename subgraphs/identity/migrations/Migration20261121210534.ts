import { Migration } from '@mikro-orm/migrations'

export class Migration20261121210534 extends Migration {
  override name = 'Migration20261121210534'

  override up(): void | Promise<void> {
    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(`alter table "identity"."mail" add "about_organization_id" uuid null;`)
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed', 'second-factor-on', 'second-factor-off', 'recovery-code-used', 'invitation', 'social-linked', 'social-unlinked', 'passkey-added', 'passkey-removed', 'account-deleted', 'authtoken-reported', 'api-key-reported', 'authtoken-expires', 'security-anomaly', 'user-suspended', 'organization-suspended', 'webhook-disabled'));`,
    )
    // What is suspended already, told to the other subgraphs as if it were now.
    this.addSql(
      `insert into "identity"."outbox_event" ("id", "name", "entity", "payload", "occurred_at")
       select gen_random_uuid(), 'organization.suspension-changed', 'organization:' || id,
         jsonb_build_object('organizationId', id, 'suspendedAt', to_char(suspended_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')), now()
       from "identity"."organization" where suspended_at is not null
       union all
       select gen_random_uuid(), 'user.suspension-changed', 'user:' || id,
         jsonb_build_object('userId', id, 'suspendedAt', to_char(suspended_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')), now()
       from "identity"."user" where suspended_at is not null;`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(`alter table "identity"."mail" drop column "about_organization_id";`)
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed', 'second-factor-on', 'second-factor-off', 'recovery-code-used', 'invitation', 'social-linked', 'social-unlinked', 'passkey-added', 'passkey-removed', 'account-deleted', 'authtoken-reported', 'api-key-reported', 'authtoken-expires', 'security-anomaly', 'user-suspended', 'organization-suspended'));`,
    )
  }
}
