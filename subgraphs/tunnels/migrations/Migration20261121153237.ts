import { Migration } from '@mikro-orm/migrations'

export class Migration20261121153237 extends Migration {
  override name = 'Migration20261121153237'

  override up(): void | Promise<void> {
    this.addSql(
      `alter table "tunnels"."organization" add "visit_notice" boolean not null default false;`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "tunnels"."organization" drop column "visit_notice";`)
  }
}
