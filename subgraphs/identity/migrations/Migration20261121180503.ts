import { Migration } from '@mikro-orm/migrations'

export class Migration20261121180503 extends Migration {
  override name = 'Migration20261121180503'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "identity"."ticket" ("secret_hash" varchar(64) not null, "purpose" text not null, "user_id" uuid null, "data" jsonb not null, "expires_at" timestamptz(3) not null, primary key ("secret_hash"));`,
    )
    this.addSql(`create index "ticket_user_id_index" on "identity"."ticket" ("user_id");`)
    this.addSql(`create index "ticket_expires_at_index" on "identity"."ticket" ("expires_at");`)

    this.addSql(
      `create table "identity"."social_link" ("id" uuid not null, "user_id" uuid not null, "provider" text not null, "issuer" varchar(255) not null, "subject" varchar(255) not null, "email" varchar(254) not null, "linked_at" timestamptz(3) not null, "last_used_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(`create index "social_link_user_id_index" on "identity"."social_link" ("user_id");`)
    this.addSql(
      `alter table "identity"."social_link" add constraint "social_link_subject" unique ("issuer", "subject");`,
    )

    this.addSql(
      `create table "identity"."passkey" ("id" uuid not null, "user_id" uuid not null, "credential_id" varchar(1400) not null, "public_key" text not null, "sign_count" bigint not null, "transports" varchar(32)[] not null, "is_backed_up" boolean not null, "name" varchar(60) not null, "created_at" timestamptz(3) not null, "last_used_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(`create index "passkey_user_id_index" on "identity"."passkey" ("user_id");`)
    this.addSql(
      `alter table "identity"."passkey" add constraint "passkey_credential_id_unique" unique ("credential_id");`,
    )

    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed', 'second-factor-on', 'second-factor-off', 'recovery-code-used', 'social-linked', 'social-unlinked', 'passkey-added', 'passkey-removed', 'account-deleted'));`,
    )

    this.addSql(`alter table "identity"."user" alter column "password_hash" drop not null;`)

    this.addSql(
      `alter table "identity"."sign_in" add "replaced_generation" int null, add "arrived_at" timestamptz(3) null;`,
    )

    this.addSql(
      `alter table "identity"."ticket" add constraint "ticket_user_id_foreign" foreign key ("user_id") references "identity"."user" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."ticket" add constraint "ticket_purpose_check" check ("purpose" in ('social-state', 'second-factor', 'passkey-registration', 'passkey-sign-in', 'passkey-proof'));`,
    )

    this.addSql(
      `alter table "identity"."social_link" add constraint "social_link_user_id_foreign" foreign key ("user_id") references "identity"."user" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."social_link" add constraint "social_link_provider_check" check ("provider" in ('google', 'github'));`,
    )

    this.addSql(
      `alter table "identity"."passkey" add constraint "passkey_user_id_foreign" foreign key ("user_id") references "identity"."user" ("id") on delete cascade;`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "identity"."ticket" cascade;`)
    this.addSql(`drop table if exists "identity"."social_link" cascade;`)
    this.addSql(`drop table if exists "identity"."passkey" cascade;`)

    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed', 'second-factor-on', 'second-factor-off', 'recovery-code-used'));`,
    )

    this.addSql(
      `alter table "identity"."sign_in" drop column "replaced_generation", drop column "arrived_at";`,
    )

    this.addSql(`alter table "identity"."user" alter column "password_hash" set not null;`)
  }
}
