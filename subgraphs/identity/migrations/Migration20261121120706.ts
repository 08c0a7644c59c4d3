import { Migration } from '@mikro-orm/migrations'

export class Migration20261121120706 extends Migration {
  override name = 'Migration20261121120706'

  override up(): void | Promise<void> {
    this.addSql(`create schema if not exists "identity";`)
    this.addSql(
      `create table "identity"."audit_entry" ("id" uuid not null, "organization_id" uuid null, "action" varchar(64) not null, "actor_kind" text not null, "actor_id" uuid null, "actor_name" varchar(100) not null, "target_type" varchar(32) not null, "target_id" varchar(64) null, "details" varchar(500) null, "ip" varchar(64) null, "at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(
      `create index "audit_entry_page" on "identity"."audit_entry" ("organization_id", "at", "id");`,
    )
    this.addSql(
      `create index "audit_entry_action_page" on "identity"."audit_entry" ("organization_id", "action", "at", "id");`,
    )

    this.addSql(
      `create table "identity"."organization" ("id" uuid not null, "name" varchar(100) not null, "slug" varchar(60) not null, "created_at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(
      `alter table "identity"."organization" add constraint "organization_slug_unique" unique ("slug");`,
    )

    this.addSql(
      `create table "identity"."outbox_event" ("sequence" bigserial primary key, "id" uuid not null, "name" varchar(64) not null, "entity" varchar(120) not null, "payload" jsonb not null, "occurred_at" timestamptz not null, "published_at" timestamptz null);`,
    )
    this.addSql(
      `alter table "identity"."outbox_event" add constraint "outbox_event_id_unique" unique ("id");`,
    )
    this.addSql(
      `create index "outbox_event_unpublished" on "identity"."outbox_event" ("published_at", "sequence");`,
    )

    this.addSql(
      `create table "identity"."user" ("id" uuid not null, "email" varchar(254) not null, "name" varchar(100) not null, "password_hash" varchar(200) not null, "is_admin" boolean not null, "created_at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(
      `alter table "identity"."user" add constraint "user_email_unique" unique ("email");`,
    )

    this.addSql(
      `create table "identity"."sign_in" ("id" uuid not null, "user_id" uuid not null, "started_at" timestamptz(3) not null, "ip" varchar(64) not null, "generation" int not null, "refresh_hash" varchar(64) not null, "refreshed_at" timestamptz(3) not null, "expires_at" timestamptz(3) not null, "ended_at" timestamptz(3) null, "end_reason" text null, primary key ("id"));`,
    )
    this.addSql(`create index "sign_in_user_id_index" on "identity"."sign_in" ("user_id");`)
    this.addSql(`create index "sign_in_expires_at_index" on "identity"."sign_in" ("expires_at");`)

    this.addSql(
      `create table "identity"."member" ("id" uuid not null, "organization_id" uuid not null, "user_id" uuid not null, "role" text not null, "joined_at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(`create index "member_user_id_index" on "identity"."member" ("user_id");`)
    this.addSql(
      `create index "member_page" on "identity"."member" ("organization_id", "joined_at", "id");`,
    )
    this.addSql(
      `alter table "identity"."member" add constraint "member_once" unique ("organization_id", "user_id");`,
    )

    this.addSql(
      `create table "identity"."authtoken" ("id" uuid not null, "organization_id" uuid not null, "name" varchar(100) not null, "prefix" varchar(16) not null, "secret_hash" varchar(64) not null, "scopes" text[] not null, "created_at" timestamptz(3) not null, "created_by" uuid null, "last_used_at" timestamptz(3) null, "last_used_ip" varchar(64) null, "revoked_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(
      `alter table "identity"."authtoken" add constraint "authtoken_secret_hash_unique" unique ("secret_hash");`,
    )
    this.addSql(
      `create index "authtoken_created_by_index" on "identity"."authtoken" ("created_by");`,
    )
    this.addSql(
      `create index "authtoken_page" on "identity"."authtoken" ("organization_id", "created_at", "id");`,
    )

    this.addSql(
      `alter table "identity"."audit_entry" add constraint "audit_entry_actor_kind_check" check ("actor_kind" in ('user', 'authtoken', 'system'));`,
    )
    this.addSql(
      `create or replace function "identity"."audit_entry_audit_entry_append_only_fn"() returns trigger as \$\$ begin raise exception 'audit entries are append-only' using errcode = 'insufficient_privilege'; end; \$\$ language plpgsql;`,
    )
    this.addSql(
      `create trigger "audit_entry_append_only" BEFORE UPDATE OR DELETE on "identity"."audit_entry" for each ROW execute function "identity"."audit_entry_audit_entry_append_only_fn"();`,
    )
    this.addSql(
      `create trigger "audit_entry_not_truncated" BEFORE TRUNCATE on "identity"."audit_entry" for each STATEMENT execute function "identity"."audit_entry_audit_entry_append_only_fn"();`,
    )

    this.addSql(
      `alter table "identity"."sign_in" add constraint "sign_in_user_id_foreign" foreign key ("user_id") references "identity"."user" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."sign_in" add constraint "sign_in_end_reason_check" check ("end_reason" in ('signed-out', 'reused'));`,
    )

    this.addSql(
      `alter table "identity"."member" add constraint "member_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."member" add constraint "member_user_id_foreign" foreign key ("user_id") references "identity"."user" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."member" add constraint "member_role_check" check ("role" in ('VIEWER', 'DEVELOPER', 'ADMIN', 'OWNER'));`,
    )
    this.addSql(
      `create or replace function "identity"."member_member_last_owner_fn"() returns trigger as \$\$ begin if OLD.role = 'OWNER' and (TG_OP = 'DELETE' or NEW.role <> 'OWNER') then perform 1 from "identity"."organization" where id = OLD.organization_id for no key update; if found and not exists (select 1 from "identity"."member" where organization_id = OLD.organization_id and role = 'OWNER') then raise exception 'the last owner of an organization' using errcode = 'check_violation', constraint = 'member_last_owner'; end if; end if; return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(
      `create trigger "member_last_owner" AFTER UPDATE OR DELETE on "identity"."member" for each ROW execute function "identity"."member_member_last_owner_fn"();`,
    )

    this.addSql(
      `alter table "identity"."authtoken" add constraint "authtoken_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."authtoken" add constraint "authtoken_created_by_foreign" foreign key ("created_by") references "identity"."user" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "identity"."authtoken" add constraint "authtoken_scopes_check" check ("scopes" <@ array['TUNNELS_START'::text, 'TUNNELS_READ'::text, 'REQUESTS_READ'::text]);`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "identity"."member" drop constraint "member_organization_id_foreign";`)
    this.addSql(
      `alter table "identity"."authtoken" drop constraint "authtoken_organization_id_foreign";`,
    )
    this.addSql(`alter table "identity"."sign_in" drop constraint "sign_in_user_id_foreign";`)
    this.addSql(`alter table "identity"."member" drop constraint "member_user_id_foreign";`)
    this.addSql(
      `alter table "identity"."authtoken" drop constraint "authtoken_created_by_foreign";`,
    )

    this.addSql(`drop trigger if exists "audit_entry_not_truncated" on "identity"."audit_entry";`)
    this.addSql(`drop trigger if exists "audit_entry_append_only" on "identity"."audit_entry";`)
    this.addSql(`drop function if exists "identity"."audit_entry_audit_entry_append_only_fn"();`)
    this.addSql(`drop table if exists "identity"."audit_entry" cascade;`)
    this.addSql(`drop table if exists "identity"."organization" cascade;`)
    this.addSql(`drop table if exists "identity"."outbox_event" cascade;`)
    this.addSql(`drop table if exists "identity"."user" cascade;`)
    this.addSql(`drop table if exists "identity"."sign_in" cascade;`)
    this.addSql(`drop trigger if exists "member_last_owner" on "identity"."member";`)
    this.addSql(`drop function if exists "identity"."member_member_last_owner_fn"();`)
    this.addSql(`drop table if exists "identity"."member" cascade;`)
    this.addSql(`drop table if exists "identity"."authtoken" cascade;`)

    this.addSql(`drop schema if exists "identity";`)
  }
}
