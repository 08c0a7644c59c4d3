import { Migration } from '@mikro-orm/migrations'

export class Migration20261121160204 extends Migration {
  override name = 'Migration20261121160204'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "identity"."mail" ("id" uuid not null, "kind" text not null, "address" varchar(254) not null, "user_id" uuid null, "ip" varchar(64) not null, "created_at" timestamptz(3) not null, "attempts" int not null, "next_attempt_at" timestamptz(3) not null, "ended_at" timestamptz(3) null, "outcome" text null, "last_error" varchar(500) null, "subject" varchar(200) null, "text" text null, primary key ("id"));`,
    )
    this.addSql(`create index "mail_user_id_index" on "identity"."mail" ("user_id");`)
    this.addSql(
      `create index "mail_due" on "identity"."mail" ("next_attempt_at") where ended_at is null;`,
    )
    this.addSql(`create index "mail_page" on "identity"."mail" ("created_at", "id");`)

    this.addSql(
      `create table "identity"."mail_link" ("id" uuid not null, "mail_id" uuid not null, "user_id" uuid not null, "purpose" text not null, "email" varchar(254) not null, "token_hash" varchar(64) not null, "created_at" timestamptz(3) not null, "expires_at" timestamptz(3) not null, "used_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(
      `alter table "identity"."mail_link" add constraint "mail_link_mail_id_unique" unique ("mail_id");`,
    )
    this.addSql(`create index "mail_link_user_id_index" on "identity"."mail_link" ("user_id");`)
    this.addSql(
      `alter table "identity"."mail_link" add constraint "mail_link_token_hash_unique" unique ("token_hash");`,
    )
    this.addSql(
      `create index "mail_link_expires_at_index" on "identity"."mail_link" ("expires_at");`,
    )

    this.addSql(`alter table "identity"."user" add "email_verified_at" timestamptz(3) null;`)
    // The first admin's address was never a mailbox.
    this.addSql(
      `update "identity"."user" set "email_verified_at" = "created_at" where "email" = 'admin@sluice.local';`,
    )

    this.addSql(`alter table "identity"."sign_in" drop constraint "sign_in_end_reason_check";`)
    this.addSql(
      `alter table "identity"."sign_in" add "last_ip" varchar(64) null, add "user_agent" varchar(300) null, add "proved_at" timestamptz(3) null;`,
    )
    // Sign-ins from before go on: all that is known of them is how they were started.
    this.addSql(
      `update "identity"."sign_in" set "last_ip" = "ip", "user_agent" = '', "proved_at" = "started_at";`,
    )
    this.addSql(
      `alter table "identity"."sign_in" alter column "last_ip" set not null, alter column "user_agent" set not null, alter column "proved_at" set not null;`,
    )
    this.addSql(
      `alter table "identity"."sign_in" add constraint "sign_in_end_reason_check" check ("end_reason" in ('signed-out', 'reused', 'revoked', 'password-changed'));`,
    )

    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed'));`,
    )
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_outcome_check" check ("outcome" in ('sent', 'kept', 'dropped', 'failed'));`,
    )

    this.addSql(
      `alter table "identity"."mail_link" add constraint "mail_link_user_id_foreign" foreign key ("user_id") references "identity"."user" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."mail_link" add constraint "mail_link_purpose_check" check ("purpose" in ('verify-email', 'change-email', 'reset-password'));`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "identity"."mail" cascade;`)
    this.addSql(`drop table if exists "identity"."mail_link" cascade;`)

    this.addSql(`alter table "identity"."sign_in" drop constraint "sign_in_end_reason_check";`)
    this.addSql(
      `alter table "identity"."sign_in" drop column "last_ip", drop column "user_agent", drop column "proved_at";`,
    )
    this.addSql(
      `alter table "identity"."sign_in" add constraint "sign_in_end_reason_check" check ("end_reason" in ('signed-out', 'reused'));`,
    )

    this.addSql(`alter table "identity"."user" drop column "email_verified_at";`)
  }
}
