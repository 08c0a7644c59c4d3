import { Migration } from '@mikro-orm/migrations'

export class Migration20261121182821 extends Migration {
  override name = 'Migration20261121182821'

  override up(): void | Promise<void> {
    this.addSql(`alter table "tunnels"."organization" add "deleted_at" timestamptz null;`)
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "tunnels"."organization" drop column "deleted_at";`)
  }
}
