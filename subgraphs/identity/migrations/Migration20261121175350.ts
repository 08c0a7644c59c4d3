import { Migration } from '@mikro-orm/migrations'

export class Migration20261121175350 extends Migration {
  override name = 'Migration20261121175350'

  override up(): void | Promise<void> {
    this.addSql(`alter table "identity"."member" drop constraint "member_role_check";`)
    this.addSql(
      `alter table "identity"."member" add constraint "member_role_check" check ("role" in ('VIEWER', 'BILLING', 'DEVELOPER', 'ADMIN', 'OWNER'));`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "identity"."member" drop constraint "member_role_check";`)
    this.addSql(
      `alter table "identity"."member" add constraint "member_role_check" check ("role" in ('VIEWER', 'DEVELOPER', 'ADMIN', 'OWNER'));`,
    )
  }
}
