import { Migration } from '@mikro-orm/migrations'

export class Migration20261121182500 extends Migration {
  override name = 'Migration20261121182500'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "identity"."invitation" ("id" uuid not null, "organization_id" uuid not null, "email" varchar(254) not null, "role" text not null, "custom_role_id" uuid null, "invited_by" uuid not null, "created_at" timestamptz(3) not null, "sent_at" timestamptz(3) not null, "expires_at" timestamptz(3) not null, "token_hash" varchar(64) null, "accepted_at" timestamptz(3) null, "revoked_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(
      `create index "invitation_custom_role_id_index" on "identity"."invitation" ("custom_role_id");`,
    )
    this.addSql(
      `create index "invitation_invited_by_index" on "identity"."invitation" ("invited_by");`,
    )
    this.addSql(
      `alter table "identity"."invitation" add constraint "invitation_token_hash_unique" unique ("token_hash");`,
    )
    this.addSql(
      `create index "invitation_page" on "identity"."invitation" ("organization_id", "created_at", "id");`,
    )
    this.addSql(
      `create unique index "invitation_once" on "identity"."invitation" ("organization_id", "email") where accepted_at is null and revoked_at is null;`,
    )

    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(`alter table "identity"."mail" add "invitation_id" uuid null;`)
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed', 'second-factor-on', 'second-factor-off', 'recovery-code-used', 'invitation', 'social-linked', 'social-unlinked', 'passkey-added', 'passkey-removed', 'account-deleted', 'security-anomaly', 'user-suspended', 'organization-suspended'));`,
    )

    this.addSql(
      `alter table "identity"."invitation" add constraint "invitation_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."invitation" add constraint "invitation_custom_role_id_foreign" foreign key ("custom_role_id") references "identity"."custom_role" ("id") on delete no action;`,
    )
    this.addSql(
      `alter table "identity"."invitation" add constraint "invitation_invited_by_foreign" foreign key ("invited_by") references "identity"."user" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."invitation" add constraint "invitation_role_check" check ("role" in ('VIEWER', 'BILLING', 'DEVELOPER', 'ADMIN', 'OWNER'));`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "identity"."invitation" cascade;`)

    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(`alter table "identity"."mail" drop column "invitation_id";`)
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed', 'second-factor-on', 'second-factor-off', 'recovery-code-used', 'social-linked', 'social-unlinked', 'passkey-added', 'passkey-removed', 'account-deleted', 'security-anomaly', 'user-suspended', 'organization-suspended'));`,
    )
  }
}
