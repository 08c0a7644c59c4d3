import { Migration } from '@mikro-orm/migrations'

export class Migration20261121182826 extends Migration {
  override name = 'Migration20261121182826'

  override up(): void | Promise<void> {
    this.addSql(`alter table "billing"."plan_subscription" add "ended_at" timestamptz null;`)
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "billing"."plan_subscription" drop column "ended_at";`)
  }
}
