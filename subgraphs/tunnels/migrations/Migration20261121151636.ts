import { Migration } from '@mikro-orm/migrations'

export class Migration20261121151636 extends Migration {
  override name = 'Migration20261121151636'

  override up(): void | Promise<void> {
    this.addSql(
      `alter table "tunnels"."relay" add "pool" varchar(32) not null default 'default', add "drain_requested_at" timestamptz null;`,
    )

    this.addSql(`alter table "tunnels"."tunnel" add "pooling" boolean not null default false;`)
  }

  override down(): void | Promise<void> {
    this.addSql(
      `alter table "tunnels"."relay" drop column "pool", drop column "drain_requested_at";`,
    )

    this.addSql(`alter table "tunnels"."tunnel" drop column "pooling";`)
  }
}
