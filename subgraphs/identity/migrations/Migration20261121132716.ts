import { Migration } from '@mikro-orm/migrations'

export class Migration20261121132716 extends Migration {
  override name = 'Migration20261121132716'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "identity"."allowance" ("organization_id" uuid not null, "max_members" int not null, primary key ("organization_id"));`,
    )

    this.addSql(
      `create table "identity"."inbox_event" ("id" uuid not null, "name" varchar(64) not null, "received_at" timestamptz not null, "failure" text null, primary key ("id"));`,
    )

    this.addSql(
      `create table "identity"."inbox_version" ("entity" varchar(120) not null, "noun" varchar(64) not null, "version" bigint not null, primary key ("entity", "noun"));`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "identity"."allowance" cascade;`)
    this.addSql(`drop table if exists "identity"."inbox_event" cascade;`)
    this.addSql(`drop table if exists "identity"."inbox_version" cascade;`)
  }
}
