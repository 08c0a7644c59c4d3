import { Migration } from '@mikro-orm/migrations'

export class Migration20261121211442 extends Migration {
  override name = 'Migration20261121211442'

  override up(): void | Promise<void> {
    this.addSql(
      `create index "plan_subscription_changed_by_index" on "billing"."plan_subscription" ("changed_by");`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "billing"."plan_subscription_changed_by_index";`)
  }
}
