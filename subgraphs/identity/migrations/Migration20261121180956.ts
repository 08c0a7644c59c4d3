import { Migration } from '@mikro-orm/migrations'

export class Migration20261121180956 extends Migration {
  override name = 'Migration20261121180956'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "identity"."auth_revoked_tokens" ("sequence" bigserial primary key, "kind" text not null, "id" varchar(80) not null, "at" timestamptz(3) not null, "until" timestamptz(3) not null, "reason" varchar(32) not null, "announced_at" timestamptz(3) null);`,
    )
    this.addSql(`create index "auth_revoked_tokens_at" on "identity"."auth_revoked_tokens" ("at");`)
    this.addSql(
      `create index "auth_revoked_tokens_unannounced" on "identity"."auth_revoked_tokens" ("sequence") where announced_at is null;`,
    )

    this.addSql(
      `create table "identity"."signing_key" ("id" varchar(64) not null, "public_key" varchar(64) not null, "sealed" varchar(200) not null, "sealing_key_id" varchar(64) not null, "created_at" timestamptz(3) not null, "active_from" timestamptz(3) null, "ends_at" timestamptz(3) null, primary key ("id"));`,
    )

    this.addSql(
      `create table "identity"."service_account" ("id" uuid not null, "organization_id" uuid not null, "name" varchar(100) not null, "role" text not null, "custom_role_id" uuid null, "created_at" timestamptz(3) not null, "created_by" uuid null, "disabled_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(
      `create index "service_account_custom_role_id_index" on "identity"."service_account" ("custom_role_id");`,
    )
    this.addSql(
      `create index "service_account_created_by_index" on "identity"."service_account" ("created_by");`,
    )
    this.addSql(
      `alter table "identity"."service_account" add constraint "service_account_name" unique ("organization_id", "name");`,
    )

    this.addSql(
      `create table "identity"."secret_rotations" ("id" uuid not null, "organization_id" uuid null, "kind" text not null, "secret_id" varchar(64) not null, "successor_id" varchar(64) not null, "at" timestamptz(3) not null, "by" uuid null, "old_ends_at" timestamptz(3) not null, "finished_at" timestamptz(3) null, "verified_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(`create index "secret_rotations_by_index" on "identity"."secret_rotations" ("by");`)
    this.addSql(
      `create index "secret_rotations_page" on "identity"."secret_rotations" ("organization_id", "at", "id");`,
    )
    this.addSql(
      `create index "secret_rotations_open" on "identity"."secret_rotations" ("old_ends_at") where finished_at is null;`,
    )
    this.addSql(
      `create index "secret_rotations_successor" on "identity"."secret_rotations" ("successor_id");`,
    )

    this.addSql(
      `create table "identity"."api_key" ("id" uuid not null, "name" varchar(100) not null, "prefix" varchar(16) not null, "secret_hash" varchar(64) not null, "created_at" timestamptz(3) not null, "expires_at" timestamptz(3) null, "allowed_ips" varchar(255)[] not null default '{}', "last_used_at" timestamptz(3) null, "last_used_ip" varchar(64) null, "revoked_at" timestamptz(3) null, "revoked_reason" text null, "successor_id" uuid null, "organization_id" uuid not null, "permissions" int not null, "requests_per_minute" int null, "created_by" uuid null, "service_account_id" uuid null, primary key ("id"));`,
    )
    this.addSql(
      `alter table "identity"."api_key" add constraint "api_key_secret_hash_unique" unique ("secret_hash");`,
    )
    this.addSql(`create index "api_key_created_by_index" on "identity"."api_key" ("created_by");`)
    this.addSql(
      `create index "api_key_service_account_id_index" on "identity"."api_key" ("service_account_id");`,
    )
    this.addSql(
      `create index "api_key_page" on "identity"."api_key" ("organization_id", "created_at", "id");`,
    )

    this.addSql(
      `create or replace function "identity"."sign_in_sign_in_ended_fn"() returns trigger as \$\$ begin insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") values ('sign-in', NEW.id::text, NEW.ended_at, NEW.ended_at + interval '1 hour', coalesce(NEW.end_reason, 'revoked')); return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(`create trigger "sign_in_ended" AFTER UPDATE on "identity"."sign_in" for each ROW
  when (OLD.ended_at is null and NEW.ended_at is not null) execute function "identity"."sign_in_sign_in_ended_fn"();`)
    this.addSql(
      `create or replace function "identity"."sign_in_sign_in_deleted_fn"() returns trigger as \$\$ begin insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") values ('sign-in', OLD.id::text, clock_timestamp(), clock_timestamp() + interval '1 hour', 'owner-gone'); return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(`create trigger "sign_in_deleted" AFTER DELETE on "identity"."sign_in" for each ROW
  when (OLD.ended_at is null and OLD.expires_at > now()) execute function "identity"."sign_in_sign_in_deleted_fn"();`)

    this.addSql(
      `alter table "identity"."authtoken" add "expires_at" timestamptz(3) null, add "allowed_ips" varchar(255)[] not null default '{}', add "revoked_reason" text null, add "successor_id" uuid null, add "service_account_id" uuid null, add "expiry_told_at" timestamptz(3) null;`,
    )
    this.addSql(
      `alter table "identity"."authtoken" add constraint "authtoken_service_account_id_foreign" foreign key ("service_account_id") references "identity"."service_account" ("id") on delete set null;`,
    )
    this.addSql(
      `create index "authtoken_service_account_id_index" on "identity"."authtoken" ("service_account_id");`,
    )
    this.addSql(
      `alter table "identity"."authtoken" add constraint "authtoken_revoked_reason_check" check ("revoked_reason" in ('revoked', 'reported', 'replaced', 'owner-gone', 'disabled'));`,
    )
    this.addSql(
      `create or replace function "identity"."authtoken_authtoken_revoked_fn"() returns trigger as \$\$ begin insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") values ('authtoken', NEW.id::text, NEW.revoked_at, NEW.revoked_at + interval '2 days', coalesce(NEW.revoked_reason, 'revoked')); return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(`create trigger "authtoken_revoked" AFTER UPDATE on "identity"."authtoken" for each ROW
  when (OLD.revoked_at is null and NEW.revoked_at is not null) execute function "identity"."authtoken_authtoken_revoked_fn"();`)
    this.addSql(
      `create or replace function "identity"."authtoken_authtoken_deleted_fn"() returns trigger as \$\$ begin insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") values ('authtoken', OLD.id::text, clock_timestamp(), clock_timestamp() + interval '2 days', 'owner-gone'); return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(`create trigger "authtoken_deleted" AFTER DELETE on "identity"."authtoken" for each ROW
  when (OLD.revoked_at is null) execute function "identity"."authtoken_authtoken_deleted_fn"();`)

    this.addSql(
      `alter table "identity"."auth_revoked_tokens" add constraint "auth_revoked_tokens_kind_check" check ("kind" in ('authtoken', 'api-key', 'sign-in', 'user', 'membership', 'organization'));`,
    )

    this.addSql(
      `alter table "identity"."service_account" add constraint "service_account_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."service_account" add constraint "service_account_custom_role_id_foreign" foreign key ("custom_role_id") references "identity"."custom_role" ("id") on delete no action;`,
    )
    this.addSql(
      `alter table "identity"."service_account" add constraint "service_account_created_by_foreign" foreign key ("created_by") references "identity"."user" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "identity"."service_account" add constraint "service_account_role" check (role <> 'OWNER' and (custom_role_id is null or role = 'VIEWER'));`,
    )
    this.addSql(
      `alter table "identity"."service_account" add constraint "service_account_role_check" check ("role" in ('VIEWER', 'BILLING', 'DEVELOPER', 'ADMIN', 'OWNER'));`,
    )

    this.addSql(
      `alter table "identity"."secret_rotations" add constraint "secret_rotations_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."secret_rotations" add constraint "secret_rotations_by_foreign" foreign key ("by") references "identity"."user" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "identity"."secret_rotations" add constraint "secret_rotations_kind_check" check ("kind" in ('authtoken', 'api-key', 'signing-key', 'internal-key'));`,
    )

    this.addSql(
      `alter table "identity"."api_key" add constraint "api_key_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."api_key" add constraint "api_key_created_by_foreign" foreign key ("created_by") references "identity"."user" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "identity"."api_key" add constraint "api_key_service_account_id_foreign" foreign key ("service_account_id") references "identity"."service_account" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "identity"."api_key" add constraint "api_key_revoked_reason_check" check ("revoked_reason" in ('revoked', 'reported', 'replaced', 'owner-gone', 'disabled'));`,
    )
    this.addSql(
      `create or replace function "identity"."api_key_api_key_revoked_fn"() returns trigger as \$\$ begin insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") values ('api-key', NEW.id::text, NEW.revoked_at, NEW.revoked_at + interval '2 days', coalesce(NEW.revoked_reason, 'revoked')); return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(`create trigger "api_key_revoked" AFTER UPDATE on "identity"."api_key" for each ROW
  when (OLD.revoked_at is null and NEW.revoked_at is not null) execute function "identity"."api_key_api_key_revoked_fn"();`)
    this.addSql(
      `create or replace function "identity"."api_key_api_key_deleted_fn"() returns trigger as \$\$ begin insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") values ('api-key', OLD.id::text, clock_timestamp(), clock_timestamp() + interval '2 days', 'owner-gone'); return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(`create trigger "api_key_deleted" AFTER DELETE on "identity"."api_key" for each ROW
  when (OLD.revoked_at is null) execute function "identity"."api_key_api_key_deleted_fn"();`)
  }

  override down(): void | Promise<void> {
    this.addSql(
      `alter table "identity"."authtoken" drop constraint "authtoken_service_account_id_foreign";`,
    )
    this.addSql(
      `alter table "identity"."api_key" drop constraint "api_key_service_account_id_foreign";`,
    )

    this.addSql(`drop table if exists "identity"."auth_revoked_tokens" cascade;`)
    this.addSql(`drop table if exists "identity"."signing_key" cascade;`)
    this.addSql(`drop table if exists "identity"."service_account" cascade;`)
    this.addSql(`drop table if exists "identity"."secret_rotations" cascade;`)
    this.addSql(`drop trigger if exists "api_key_revoked" on "identity"."api_key";`)
    this.addSql(`drop function if exists "identity"."api_key_api_key_revoked_fn"();`)
    this.addSql(`drop trigger if exists "api_key_deleted" on "identity"."api_key";`)
    this.addSql(`drop function if exists "identity"."api_key_api_key_deleted_fn"();`)
    this.addSql(`drop table if exists "identity"."api_key" cascade;`)

    this.addSql(`drop index "identity"."authtoken_service_account_id_index";`)
    this.addSql(
      `alter table "identity"."authtoken" drop constraint "authtoken_revoked_reason_check";`,
    )
    this.addSql(`drop trigger if exists "authtoken_revoked" on "identity"."authtoken";`)
    this.addSql(`drop function if exists "identity"."authtoken_authtoken_revoked_fn"();`)
    this.addSql(`drop trigger if exists "authtoken_deleted" on "identity"."authtoken";`)
    this.addSql(`drop function if exists "identity"."authtoken_authtoken_deleted_fn"();`)
    this.addSql(
      `alter table "identity"."authtoken" drop column "expires_at", drop column "allowed_ips", drop column "revoked_reason", drop column "successor_id", drop column "service_account_id", drop column "expiry_told_at";`,
    )

    this.addSql(`drop trigger if exists "sign_in_ended" on "identity"."sign_in";`)
    this.addSql(`drop function if exists "identity"."sign_in_sign_in_ended_fn"();`)
    this.addSql(`drop trigger if exists "sign_in_deleted" on "identity"."sign_in";`)
    this.addSql(`drop function if exists "identity"."sign_in_sign_in_deleted_fn"();`)
  }
}
