import { Migration } from '@mikro-orm/migrations'

export class Migration20261121210559 extends Migration {
  override name = 'Migration20261121210559'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "tunnels"."released_host" ("endpoint_host" varchar(253) not null, "released_by" uuid not null, "released_at" timestamptz not null, primary key ("endpoint_host"));`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "tunnels"."released_host" cascade;`)
  }
}
