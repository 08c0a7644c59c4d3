import { Migration } from '@mikro-orm/migrations'

export class Migration20261121181224 extends Migration {
  override name = 'Migration20261121181224'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "identity"."security_anomaly_events" ("id" uuid not null, "key" varchar(64) not null, "kind" text not null, "severity" text not null, "organization_id" uuid null, "user_id" uuid null, "subject" varchar(200) not null, "details" varchar(500) null, "ip" varchar(64) null, "count" int not null, "first_at" timestamptz(3) not null, "last_at" timestamptz(3) not null, "mailed_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(
      `alter table "identity"."security_anomaly_events" add constraint "security_anomaly_events_key_unique" unique ("key");`,
    )
    this.addSql(
      `create index "anomaly_page" on "identity"."security_anomaly_events" ("last_at", "id");`,
    )
    this.addSql(
      `create index "anomaly_organization_page" on "identity"."security_anomaly_events" ("organization_id", "last_at", "id");`,
    )

    this.addSql(
      `create table "identity"."impersonation" ("id" uuid not null, "user_id" uuid not null, "staff_id" uuid not null, "staff_sign_in_id" uuid not null, "reason" varchar(500) not null, "ticket" varchar(100) null, "may_change" boolean not null, "ip" varchar(64) not null, "started_at" timestamptz(3) not null, "expires_at" timestamptz(3) not null, "ended_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(
      `create index "impersonation_user_id_index" on "identity"."impersonation" ("user_id");`,
    )
    this.addSql(
      `create index "impersonation_staff_sign_in_id_index" on "identity"."impersonation" ("staff_sign_in_id");`,
    )
    this.addSql(
      `create index "impersonation_going" on "identity"."impersonation" ("expires_at") where ended_at is null;`,
    )
    this.addSql(
      `create index "impersonation_staff" on "identity"."impersonation" ("staff_id", "started_at");`,
    )

    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed', 'second-factor-on', 'second-factor-off', 'recovery-code-used', 'social-linked', 'social-unlinked', 'passkey-added', 'passkey-removed', 'account-deleted', 'security-anomaly', 'user-suspended', 'organization-suspended'));`,
    )

    this.addSql(
      `alter table "identity"."organization" add "suspended_at" timestamptz(3) null, add "suspension_reason" varchar(500) null;`,
    )

    this.addSql(
      `alter table "identity"."user" add "suspended_at" timestamptz(3) null, add "suspension_reason" varchar(500) null;`,
    )

    this.addSql(
      `alter table "identity"."security_anomaly_events" add constraint "security_anomaly_events_kind_check" check ("kind" in ('sign-in-failures', 'rate-limited', 'network-blocked', 'new-network', 'impossible-travel', 'token-new-network', 'refresh-reused', 'recovery-code-used', 'signature-failed', 'impersonation'));`,
    )
    this.addSql(
      `alter table "identity"."security_anomaly_events" add constraint "security_anomaly_events_severity_check" check ("severity" in ('low', 'medium', 'high'));`,
    )

    this.addSql(
      `alter table "identity"."impersonation" add constraint "impersonation_user_id_foreign" foreign key ("user_id") references "identity"."user" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."impersonation" add constraint "impersonation_staff_id_foreign" foreign key ("staff_id") references "identity"."user" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."impersonation" add constraint "impersonation_staff_sign_in_id_foreign" foreign key ("staff_sign_in_id") references "identity"."sign_in" ("id") on delete cascade;`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "identity"."security_anomaly_events" cascade;`)
    this.addSql(`drop table if exists "identity"."impersonation" cascade;`)

    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed', 'second-factor-on', 'second-factor-off', 'recovery-code-used', 'social-linked', 'social-unlinked', 'passkey-added', 'passkey-removed', 'account-deleted'));`,
    )

    this.addSql(
      `alter table "identity"."organization" drop column "suspended_at", drop column "suspension_reason";`,
    )

    this.addSql(
      `alter table "identity"."user" drop column "suspended_at", drop column "suspension_reason";`,
    )
  }
}
