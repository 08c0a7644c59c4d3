import { Migration } from '@mikro-orm/migrations'

export class Migration20261121182306 extends Migration {
  override name = 'Migration20261121182306'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "tunnels"."suspended_host" ("id" uuid not null, "name" varchar(253) not null, "organization_id" uuid null, "reason" varchar(500) not null, "by" uuid not null, "at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(
      `alter table "tunnels"."suspended_host" add constraint "suspended_host_name_unique" unique ("name");`,
    )
    this.addSql(`create index "suspended_host_page" on "tunnels"."suspended_host" ("at", "id");`)
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "tunnels"."suspended_host" cascade;`)
  }
}
