import { Migration } from '@mikro-orm/migrations'

export class Migration20261121210515 extends Migration {
  override name = 'Migration20261121210515'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "tunnels"."suspended_user" ("user_id" uuid not null, "at" timestamptz(3) not null, primary key ("user_id"));`,
    )

    this.addSql(`alter table "tunnels"."organization" add "suspended_at" timestamptz null;`)
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "tunnels"."suspended_user" cascade;`)

    this.addSql(`alter table "tunnels"."organization" drop column "suspended_at";`)
  }
}
