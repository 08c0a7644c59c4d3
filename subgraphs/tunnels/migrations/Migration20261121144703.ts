import { Migration } from '@mikro-orm/migrations'

/** Captured bodies. The columns of the request log by hand: its table is not MikroORM's to change. */
export class Migration20261121144703 extends Migration {
  override name = 'Migration20261121144703'

  override up(): void | Promise<void> {
    this.addSql(
      `alter table "tunnels"."tunnel" add "capture_bodies" boolean not null default false;`,
    )
    this.addSql(
      `alter table "tunnels"."captured_request" add "request_body" jsonb null, add "response_body" jsonb null;`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(
      `alter table "tunnels"."captured_request" drop column "request_body", drop column "response_body";`,
    )
    this.addSql(`alter table "tunnels"."tunnel" drop column "capture_bodies";`)
  }
}
