import { Migration } from '@mikro-orm/migrations'

export class Migration20261121181851 extends Migration {
  override name = 'Migration20261121181851'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "identity"."scim_call" ("id" uuid not null, "organization_id" uuid not null, "token_name" varchar(100) not null, "method" varchar(8) not null, "path" varchar(300) not null, "status" int not null, "detail" varchar(500) null, "at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(
      `create index "scim_call_page" on "identity"."scim_call" ("organization_id", "at", "id");`,
    )

    this.addSql(
      `create table "identity"."scim_group" ("id" uuid not null, "organization_id" uuid not null, "display_name" varchar(320) not null, "external_id" varchar(320) null, "role" text null, "custom_role_id" uuid null, "version" int not null, "created_at" timestamptz(3) not null, "changed_at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(
      `create index "scim_group_custom_role_id_index" on "identity"."scim_group" ("custom_role_id");`,
    )
    this.addSql(
      `create unique index "scim_group_name" on "identity"."scim_group" ("organization_id", lower("display_name"));`,
    )
    this.addSql(
      `create index "scim_group_page" on "identity"."scim_group" ("organization_id", "created_at", "id");`,
    )

    this.addSql(
      `create table "identity"."scim_user" ("id" uuid not null, "organization_id" uuid not null, "user_id" uuid not null, "user_name" varchar(320) not null, "external_id" varchar(320) null, "data" jsonb not null, "made_account" boolean not null, "suspended_at" timestamptz(3) null, "suspended_role" text null, "suspended_custom_role_id" uuid null, "version" int not null, "created_at" timestamptz(3) not null, "changed_at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(`create index "scim_user_user_id_index" on "identity"."scim_user" ("user_id");`)
    this.addSql(
      `create index "scim_user_suspended_custom_role_id_index" on "identity"."scim_user" ("suspended_custom_role_id");`,
    )
    this.addSql(
      `create unique index "scim_user_name" on "identity"."scim_user" ("organization_id", lower("user_name"));`,
    )
    this.addSql(
      `create index "scim_user_external" on "identity"."scim_user" ("organization_id", "external_id");`,
    )
    this.addSql(
      `create index "scim_user_page" on "identity"."scim_user" ("organization_id", "created_at", "id");`,
    )
    this.addSql(
      `alter table "identity"."scim_user" add constraint "scim_user_once" unique ("organization_id", "user_id");`,
    )

    this.addSql(
      `create table "identity"."scim_group_member" ("group_id" uuid not null, "scim_user_id" uuid not null, "organization_id" uuid not null, primary key ("group_id", "scim_user_id"));`,
    )
    this.addSql(
      `create index "scim_group_member_scim_user_id_index" on "identity"."scim_group_member" ("scim_user_id");`,
    )
    this.addSql(
      `create index "scim_group_member_organization_id_index" on "identity"."scim_group_member" ("organization_id");`,
    )

    this.addSql(
      `create table "identity"."scim_token" ("id" uuid not null, "organization_id" uuid not null, "name" varchar(100) not null, "prefix" varchar(16) not null, "secret_hash" varchar(64) not null, "created_at" timestamptz(3) not null, "created_by" uuid null, "last_used_at" timestamptz(3) null, "last_used_ip" varchar(64) null, "expires_at" timestamptz(3) null, "revoked_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(
      `alter table "identity"."scim_token" add constraint "scim_token_secret_hash_unique" unique ("secret_hash");`,
    )
    this.addSql(
      `create index "scim_token_created_by_index" on "identity"."scim_token" ("created_by");`,
    )
    this.addSql(
      `create index "scim_token_page" on "identity"."scim_token" ("organization_id", "created_at");`,
    )

    this.addSql(
      `alter table "identity"."scim_call" add constraint "scim_call_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )

    this.addSql(
      `alter table "identity"."scim_group" add constraint "scim_group_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."scim_group" add constraint "scim_group_custom_role_id_foreign" foreign key ("custom_role_id") references "identity"."custom_role" ("id") on delete no action;`,
    )
    this.addSql(
      `alter table "identity"."scim_group" add constraint "scim_group_role" check (role is null or role <> 'OWNER');`,
    )
    this.addSql(
      `alter table "identity"."scim_group" add constraint "scim_group_role_check" check ("role" in ('VIEWER', 'BILLING', 'DEVELOPER', 'ADMIN', 'OWNER'));`,
    )

    this.addSql(
      `alter table "identity"."scim_user" add constraint "scim_user_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."scim_user" add constraint "scim_user_user_id_foreign" foreign key ("user_id") references "identity"."user" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."scim_user" add constraint "scim_user_suspended_custom_role_id_foreign" foreign key ("suspended_custom_role_id") references "identity"."custom_role" ("id") on delete set null;`,
    )
    this.addSql(
      `alter table "identity"."scim_user" add constraint "scim_user_suspended_role_check" check ("suspended_role" in ('VIEWER', 'BILLING', 'DEVELOPER', 'ADMIN', 'OWNER'));`,
    )

    this.addSql(
      `alter table "identity"."scim_group_member" add constraint "scim_group_member_group_id_foreign" foreign key ("group_id") references "identity"."scim_group" ("id") on update cascade on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."scim_group_member" add constraint "scim_group_member_scim_user_id_foreign" foreign key ("scim_user_id") references "identity"."scim_user" ("id") on update cascade on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."scim_group_member" add constraint "scim_group_member_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )

    this.addSql(
      `alter table "identity"."scim_token" add constraint "scim_token_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."scim_token" add constraint "scim_token_created_by_foreign" foreign key ("created_by") references "identity"."user" ("id") on delete set null;`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(
      `alter table "identity"."scim_group_member" drop constraint "scim_group_member_group_id_foreign";`,
    )
    this.addSql(
      `alter table "identity"."scim_group_member" drop constraint "scim_group_member_scim_user_id_foreign";`,
    )

    this.addSql(`drop table if exists "identity"."scim_call" cascade;`)
    this.addSql(`drop table if exists "identity"."scim_group" cascade;`)
    this.addSql(`drop table if exists "identity"."scim_user" cascade;`)
    this.addSql(`drop table if exists "identity"."scim_group_member" cascade;`)
    this.addSql(`drop table if exists "identity"."scim_token" cascade;`)
  }
}
