import { Migration } from '@mikro-orm/migrations'

export class Migration20261121185428 extends Migration {
  override name = 'Migration20261121185428'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "tunnels"."signing_key" ("id" varchar(64) not null, "public_key" varchar(64) not null, "sealed" varchar(200) not null, "sealing_key_id" varchar(64) not null, "created_at" timestamptz(3) not null, "active_from" timestamptz(3) null, "ends_at" timestamptz(3) null, primary key ("id"));`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "tunnels"."signing_key" cascade;`)
  }
}
