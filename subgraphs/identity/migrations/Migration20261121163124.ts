import { Migration } from '@mikro-orm/migrations'

export class Migration20261121163124 extends Migration {
  override name = 'Migration20261121163124'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "identity"."second_factor" ("user_id" uuid not null, "sealed_secret" text not null, "sealing_key_id" varchar(64) not null, "created_at" timestamptz(3) not null, "confirmed_at" timestamptz(3) null, "last_step" int null, primary key ("user_id"));`,
    )

    this.addSql(
      `create table "identity"."recovery_code" ("id" uuid not null, "user_id" uuid not null, "code_hash" varchar(64) not null, "used_at" timestamptz(3) null, primary key ("id"));`,
    )
    this.addSql(
      `alter table "identity"."recovery_code" add constraint "recovery_code_once" unique ("user_id", "code_hash");`,
    )

    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed', 'second-factor-on', 'second-factor-off', 'recovery-code-used'));`,
    )

    this.addSql(
      `alter table "identity"."second_factor" add constraint "second_factor_user_id_foreign" foreign key ("user_id") references "identity"."user" ("id") on update cascade on delete cascade;`,
    )

    this.addSql(
      `alter table "identity"."recovery_code" add constraint "recovery_code_user_id_foreign" foreign key ("user_id") references "identity"."user" ("id") on delete cascade;`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "identity"."second_factor" cascade;`)
    this.addSql(`drop table if exists "identity"."recovery_code" cascade;`)

    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed'));`,
    )
  }
}
