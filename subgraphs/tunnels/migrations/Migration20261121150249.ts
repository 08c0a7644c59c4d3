import { Migration } from '@mikro-orm/migrations'

/** Tunnels of TCP, TLS and UDP: their kind, and the public port that is theirs while they exist. */
export class Migration20261121150249 extends Migration {
  override name = 'Migration20261121150249'

  override up(): void | Promise<void> {
    this.addSql(
      `alter table "tunnels"."tunnel" add "kind" varchar(8) not null default 'http', add "port" int null;`,
    )
    this.addSql(
      `create unique index "tunnel_port" on "tunnels"."tunnel" ("kind", "port") where "deleted_at" is null;`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "tunnels"."tunnel_port";`)
    this.addSql(`alter table "tunnels"."tunnel" drop column "kind", drop column "port";`)
  }
}
