import { Migration } from '@mikro-orm/migrations'

export class Migration20261121180648 extends Migration {
  override name = 'Migration20261121180648'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "identity"."custom_role" ("id" uuid not null, "organization_id" uuid not null, "name" varchar(60) not null, "description" varchar(200) not null, "permissions" int not null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(
      `alter table "identity"."custom_role" add constraint "custom_role_name" unique ("organization_id", "name");`,
    )

    this.addSql(`alter table "identity"."member" add "custom_role_id" uuid null;`)
    this.addSql(
      `alter table "identity"."member" add constraint "member_custom_role_id_foreign" foreign key ("custom_role_id") references "identity"."custom_role" ("id") on delete no action;`,
    )
    this.addSql(
      `create index "member_custom_role_id_index" on "identity"."member" ("custom_role_id");`,
    )
    this.addSql(
      `alter table "identity"."member" add constraint "member_custom_role" check (custom_role_id is null or role = 'VIEWER');`,
    )

    this.addSql(
      `alter table "identity"."custom_role" add constraint "custom_role_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "identity"."member" drop constraint "member_custom_role_id_foreign";`)

    this.addSql(`drop table if exists "identity"."custom_role" cascade;`)

    this.addSql(`drop index "identity"."member_custom_role_id_index";`)
    this.addSql(`alter table "identity"."member" drop constraint "member_custom_role";`)
    this.addSql(`alter table "identity"."member" drop column "custom_role_id";`)
  }
}
