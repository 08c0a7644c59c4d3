import { Migration } from '@mikro-orm/migrations'

export class Migration20261121181324 extends Migration {
  override name = 'Migration20261121181324'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "identity"."email_domain" ("id" uuid not null, "organization_id" uuid not null, "domain" varchar(253) not null, "token" varchar(64) not null, "status" text not null, "created_at" timestamptz(3) not null, "verified_at" timestamptz(3) null, "last_checked_at" timestamptz(3) null, "last_error" varchar(500) null, primary key ("id"));`,
    )
    this.addSql(
      `alter table "identity"."email_domain" add constraint "email_domain_once" unique ("organization_id", "domain");`,
    )
    this.addSql(
      `create unique index "email_domain_verified_once" on "identity"."email_domain" ("domain") where "status" = 'VERIFIED';`,
    )

    this.addSql(
      `create table "identity"."sso_connection" ("id" uuid not null, "organization_id" uuid not null, "kind" text not null, "enforcement" text not null, "issuer" varchar(2048) null, "client_id" varchar(500) null, "sealed_client_secret" text null, "sealing_key_id" varchar(64) null, "saml" jsonb null, "metadata_url" varchar(2048) null, "metadata_read_at" timestamptz(3) null, "admits_new_members" boolean not null, "default_role" text not null, "default_custom_role_id" uuid null, "role_attribute" varchar(200) null, "tested_at" timestamptz(3) null, "last_test" jsonb null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(
      `create index "sso_connection_sealing_key_id_index" on "identity"."sso_connection" ("sealing_key_id");`,
    )
    this.addSql(
      `create index "sso_connection_default_custom_role_id_index" on "identity"."sso_connection" ("default_custom_role_id");`,
    )
    this.addSql(
      `alter table "identity"."sso_connection" add constraint "sso_connection_once" unique ("organization_id");`,
    )

    this.addSql(
      `create table "identity"."sso_role_mapping" ("id" uuid not null, "connection_id" uuid not null, "position" int not null, "value" varchar(500) not null, "role" text not null, "custom_role_id" uuid null, primary key ("id"));`,
    )
    this.addSql(
      `create index "sso_role_mapping_connection_id_index" on "identity"."sso_role_mapping" ("connection_id");`,
    )
    this.addSql(
      `create index "sso_role_mapping_custom_role_id_index" on "identity"."sso_role_mapping" ("custom_role_id");`,
    )

    this.addSql(
      `create table "identity"."used_assertion" ("hash" varchar(64) not null, "expires_at" timestamptz(3) not null, primary key ("hash"));`,
    )
    this.addSql(
      `create index "used_assertion_expires_at_index" on "identity"."used_assertion" ("expires_at");`,
    )

    this.addSql(
      `create table "identity"."sso_link" ("id" uuid not null, "connection_id" uuid not null, "issuer" varchar(2048) not null, "subject" varchar(500) not null, "user_id" uuid not null, "created_at" timestamptz(3) not null, "last_used_at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(`create index "sso_link_user_id_index" on "identity"."sso_link" ("user_id");`)
    this.addSql(
      `alter table "identity"."sso_link" add constraint "sso_link_once" unique ("connection_id", "issuer", "subject");`,
    )

    this.addSql(
      `create table "identity"."sso_proof" ("id" uuid not null, "sign_in_id" uuid not null, "connection_id" uuid not null, "proved_at" timestamptz(3) not null, "expires_at" timestamptz(3) not null, "sealed_session" text not null, "sealing_key_id" varchar(64) not null, primary key ("id"));`,
    )
    this.addSql(
      `create index "sso_proof_connection_id_index" on "identity"."sso_proof" ("connection_id");`,
    )
    this.addSql(
      `alter table "identity"."sso_proof" add constraint "sso_proof_once" unique ("sign_in_id", "connection_id");`,
    )

    this.addSql(`alter table "identity"."ticket" drop constraint "ticket_purpose_check";`)
    this.addSql(
      `alter table "identity"."ticket" add constraint "ticket_purpose_check" check ("purpose" in ('social-state', 'second-factor', 'passkey-registration', 'passkey-sign-in', 'passkey-proof', 'sso-start', 'sso-state', 'sso-answer'));`,
    )

    this.addSql(`alter table "identity"."sign_in" add "sso_only" boolean not null default false;`)

    this.addSql(
      `alter table "identity"."email_domain" add constraint "email_domain_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."email_domain" add constraint "email_domain_status_check" check ("status" in ('PENDING', 'VERIFIED'));`,
    )

    this.addSql(
      `alter table "identity"."sso_connection" add constraint "sso_connection_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."sso_connection" add constraint "sso_connection_default_custom_role_id_foreign" foreign key ("default_custom_role_id") references "identity"."custom_role" ("id") on delete no action;`,
    )
    this.addSql(
      `alter table "identity"."sso_connection" add constraint "sso_connection_kind_check" check ("kind" in ('OIDC', 'SAML'));`,
    )
    this.addSql(
      `alter table "identity"."sso_connection" add constraint "sso_connection_enforcement_check" check ("enforcement" in ('OFF', 'OPTIONAL', 'REQUIRED'));`,
    )
    this.addSql(
      `alter table "identity"."sso_connection" add constraint "sso_connection_default_role_check" check ("default_role" in ('VIEWER', 'BILLING', 'DEVELOPER', 'ADMIN', 'OWNER'));`,
    )

    this.addSql(
      `alter table "identity"."sso_role_mapping" add constraint "sso_role_mapping_connection_id_foreign" foreign key ("connection_id") references "identity"."sso_connection" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."sso_role_mapping" add constraint "sso_role_mapping_custom_role_id_foreign" foreign key ("custom_role_id") references "identity"."custom_role" ("id") on delete no action;`,
    )
    this.addSql(
      `alter table "identity"."sso_role_mapping" add constraint "sso_role_mapping_role_check" check ("role" in ('VIEWER', 'BILLING', 'DEVELOPER', 'ADMIN', 'OWNER'));`,
    )

    this.addSql(
      `alter table "identity"."sso_link" add constraint "sso_link_connection_id_foreign" foreign key ("connection_id") references "identity"."sso_connection" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."sso_link" add constraint "sso_link_user_id_foreign" foreign key ("user_id") references "identity"."user" ("id") on delete cascade;`,
    )

    this.addSql(
      `alter table "identity"."sso_proof" add constraint "sso_proof_sign_in_id_foreign" foreign key ("sign_in_id") references "identity"."sign_in" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."sso_proof" add constraint "sso_proof_connection_id_foreign" foreign key ("connection_id") references "identity"."sso_connection" ("id") on delete cascade;`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(
      `alter table "identity"."sso_role_mapping" drop constraint "sso_role_mapping_connection_id_foreign";`,
    )
    this.addSql(
      `alter table "identity"."sso_link" drop constraint "sso_link_connection_id_foreign";`,
    )
    this.addSql(
      `alter table "identity"."sso_proof" drop constraint "sso_proof_connection_id_foreign";`,
    )

    this.addSql(`drop table if exists "identity"."email_domain" cascade;`)
    this.addSql(`drop table if exists "identity"."sso_connection" cascade;`)
    this.addSql(`drop table if exists "identity"."sso_role_mapping" cascade;`)
    this.addSql(`drop table if exists "identity"."used_assertion" cascade;`)
    this.addSql(`drop table if exists "identity"."sso_link" cascade;`)
    this.addSql(`drop table if exists "identity"."sso_proof" cascade;`)

    this.addSql(`alter table "identity"."ticket" drop constraint "ticket_purpose_check";`)
    this.addSql(
      `alter table "identity"."ticket" add constraint "ticket_purpose_check" check ("purpose" in ('social-state', 'second-factor', 'passkey-registration', 'passkey-sign-in', 'passkey-proof'));`,
    )

    this.addSql(`alter table "identity"."sign_in" drop column "sso_only";`)
  }
}
