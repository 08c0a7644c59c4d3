import { Migration } from '@mikro-orm/migrations'

const kinds = (names: string) =>
  `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in (${names}));`
const before = `'verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed', 'second-factor-on', 'second-factor-off', 'recovery-code-used', 'social-linked', 'social-unlinked', 'passkey-added', 'passkey-removed', 'account-deleted', 'authtoken-reported', 'api-key-reported', 'authtoken-expires', 'security-anomaly', 'user-suspended', 'organization-suspended'`

/** The migration before was made beside the one that brought invitations, and left their mail out. */
export class Migration20261121183100 extends Migration {
  override name = 'Migration20261121183100'

  override up(): void | Promise<void> {
    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(kinds(before.replace(`'recovery-code-used'`, `'recovery-code-used', 'invitation'`)))
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(kinds(before))
  }
}
