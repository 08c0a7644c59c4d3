import { Migration } from '@mikro-orm/migrations'

export class Migration20261121181215 extends Migration {
  override name = 'Migration20261121181215'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "identity"."audit_link" ("organization_id" uuid not null, "sequence" bigint not null, "entry_id" uuid not null, "hash" varchar(64) not null, primary key ("organization_id", "sequence"));`,
    )
    this.addSql(
      `alter table "identity"."audit_link" add constraint "audit_link_entry_id_unique" unique ("entry_id");`,
    )
    this.addSql(
      `create table "identity"."audit_signed_head" ("organization_id" uuid not null, "sequence" bigint not null, "hash" varchar(64) not null, "jws" varchar(2000) not null, "object_key" varchar(200) null, "signed_at" timestamptz(3) not null, primary key ("organization_id", "sequence"));`,
    )
    this.addSql(
      `create table "identity"."audit_unsealed" ("position" bigserial primary key, "entry_id" uuid not null, "organization_id" uuid null);`,
    )
    this.addSql(
      `alter table "identity"."audit_unsealed" add constraint "audit_unsealed_entry_id_unique" unique ("entry_id");`,
    )
    this.addSql(
      `alter table "identity"."audit_entry" drop constraint "audit_entry_actor_kind_check";`,
    )
    this.addSql(
      `alter table "identity"."audit_entry" alter column "actor_kind" type varchar(32) using ("actor_kind"::varchar(32));`,
    )
    this.addSql(
      `create index "audit_entry_actor_page" on "identity"."audit_entry" ("organization_id", "actor_id", "at", "id");`,
    )
    this.addSql(
      `create index "audit_entry_target_page" on "identity"."audit_entry" ("organization_id", "target_id", "at", "id");`,
    )
    this.addSql(
      `create or replace function "identity"."audit_entry_audit_entry_unsealed_fn"() returns trigger as \$\$ begin insert into identity.audit_unsealed (entry_id, organization_id) values (new.id, new.organization_id); return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(
      `create trigger "audit_entry_unsealed" AFTER INSERT on "identity"."audit_entry" for each ROW execute function "identity"."audit_entry_audit_entry_unsealed_fn"();`,
    )
    this.addSql(
      `create or replace function "identity"."audit_link_audit_link_append_only_fn"() returns trigger as \$\$ begin raise exception 'the chain of the audit is append-only' using errcode = 'insufficient_privilege'; end; \$\$ language plpgsql;`,
    )
    this.addSql(
      `create trigger "audit_link_append_only" BEFORE UPDATE OR DELETE on "identity"."audit_link" for each ROW execute function "identity"."audit_link_audit_link_append_only_fn"();`,
    )
    this.addSql(
      `create or replace function "identity"."audit_signed_head_audit_signed_head_append_only_fn"() returns trigger as \$\$ begin raise exception 'the chain of the audit is append-only' using errcode = 'insufficient_privilege'; end; \$\$ language plpgsql;`,
    )
    this.addSql(
      `create trigger "audit_signed_head_append_only" BEFORE UPDATE OR DELETE on "identity"."audit_signed_head" for each ROW execute function "identity"."audit_signed_head_audit_signed_head_append_only_fn"();`,
    )
    // MikroORM does not see what stands from here on.
    for (const table of ['audit_link', 'audit_signed_head']) {
      this.addSql(
        `create trigger "${table}_not_truncated" BEFORE TRUNCATE on "identity"."${table}" for each STATEMENT execute function "identity"."${table}_${table}_append_only_fn"();`,
      )
    }
    // What was written before there were chains becomes their beginning.
    this.addSql(
      `insert into "identity"."audit_unsealed" ("entry_id", "organization_id") select "id", "organization_id" from "identity"."audit_entry" order by "at", "id";`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(
      `drop trigger if exists "audit_entry_unsealed" on "identity"."audit_entry"; drop function if exists "identity"."audit_entry_audit_entry_unsealed_fn"();`,
    )
    for (const table of ['audit_link', 'audit_signed_head', 'audit_unsealed']) {
      this.addSql(`drop table if exists "identity"."${table}" cascade;`)
    }
    for (const table of ['audit_link', 'audit_signed_head']) {
      this.addSql(`drop function if exists "identity"."${table}_${table}_append_only_fn"();`)
    }
    this.addSql(
      `drop index "identity"."audit_entry_actor_page"; drop index "identity"."audit_entry_target_page";`,
    )
    this.addSql(
      `alter table "identity"."audit_entry" alter column "actor_kind" type text using ("actor_kind"::text);`,
    )
    this.addSql(
      `alter table "identity"."audit_entry" add constraint "audit_entry_actor_kind_check" check ("actor_kind" in ('user', 'authtoken', 'system')) not valid;`,
    )
  }
}
