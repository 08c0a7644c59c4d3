import { Migration } from '@mikro-orm/migrations'

export class Migration20261121124954 extends Migration {
  override name = 'Migration20261121124954'

  override up(): void | Promise<void> {
    this.addSql(`alter table "billing"."plan_subscription" add "told_version" varchar(16) null;`)
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "billing"."plan_subscription" drop column "told_version";`)
  }
}
