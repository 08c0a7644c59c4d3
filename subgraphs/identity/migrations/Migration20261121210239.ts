import { Migration } from '@mikro-orm/migrations'

export class Migration20261121210239 extends Migration {
  override name = 'Migration20261121210239'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "identity"."scim_departure" ("id" uuid not null, "organization_id" uuid not null, "user_id" uuid not null, "at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(
      `create index "scim_departure_user_id_index" on "identity"."scim_departure" ("user_id");`,
    )
    this.addSql(
      `alter table "identity"."scim_departure" add constraint "scim_departure_once" unique ("organization_id", "user_id");`,
    )

    this.addSql(
      `alter table "identity"."scim_departure" add constraint "scim_departure_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."scim_departure" add constraint "scim_departure_user_id_foreign" foreign key ("user_id") references "identity"."user" ("id") on delete cascade;`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "identity"."scim_departure" cascade;`)
  }
}
