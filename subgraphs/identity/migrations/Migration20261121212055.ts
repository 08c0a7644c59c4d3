import { Migration } from '@mikro-orm/migrations'

export class Migration20261121212055 extends Migration {
  override name = 'Migration20261121212055'

  override up(): void | Promise<void> {
    this.addSql(
      `create index "audit_entry_actor" on "identity"."audit_entry" ("actor_id", "at", "id");`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "identity"."audit_entry_actor";`)
  }
}
