import { Migration } from '@mikro-orm/migrations'

export class Migration20261121212519 extends Migration {
  override name = 'Migration20261121212519'

  override up(): void | Promise<void> {
    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed', 'second-factor-on', 'second-factor-off', 'recovery-code-used', 'invitation', 'social-linked', 'social-unlinked', 'passkey-added', 'passkey-removed', 'account-deleted', 'authtoken-reported', 'api-key-reported', 'authtoken-expires', 'security-anomaly', 'user-suspended', 'organization-suspended', 'webhook-disabled', 'email-domain-missing', 'email-domain-lost'));`,
    )

    this.addSql(
      `alter table "identity"."email_domain" add "missing_since" timestamptz(3) null, add "next_check_at" timestamptz(3) null;`,
    )
    this.addSql(
      `create index "email_domain_due" on "identity"."email_domain" ("next_check_at") where status = 'VERIFIED';`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "identity"."email_domain_due";`)
    this.addSql(
      `alter table "identity"."email_domain" drop column "missing_since", drop column "next_check_at";`,
    )

    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed', 'second-factor-on', 'second-factor-off', 'recovery-code-used', 'invitation', 'social-linked', 'social-unlinked', 'passkey-added', 'passkey-removed', 'account-deleted', 'authtoken-reported', 'api-key-reported', 'authtoken-expires', 'security-anomaly', 'user-suspended', 'organization-suspended', 'webhook-disabled'));`,
    )
  }
}
