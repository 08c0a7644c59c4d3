import { Migration } from '@mikro-orm/migrations'

export class Migration20261121211448 extends Migration {
  override name = 'Migration20261121211448'

  override up(): void | Promise<void> {
    this.addSql(`create index "tunnel_owner_id_index" on "tunnels"."tunnel" ("owner_id");`)
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "tunnels"."tunnel_owner_id_index";`)
  }
}
