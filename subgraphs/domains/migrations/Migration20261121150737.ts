import { Migration } from '@mikro-orm/migrations'

export class Migration20261121150737 extends Migration {
  override name = 'Migration20261121150737'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "domains"."certificate" ("id" uuid not null, "organization_id" uuid not null, "domain_id" uuid not null, "source" text not null, "chain" text not null, "sealed_private_key" text not null, "sealing_key_id" varchar(64) not null, "fingerprint" varchar(64) not null, "serial_number" varchar(64) not null, "issuer" varchar(200) not null, "names" text[] not null, "not_before" timestamptz not null, "not_after" timestamptz not null, "created_at" timestamptz not null, "created_by" uuid null, primary key ("id"));`,
    )
    this.addSql(`create index "certificate_expiry" on "domains"."certificate" ("not_after");`)
    this.addSql(
      `alter table "domains"."certificate" add constraint "certificate_of_domain" unique ("domain_id");`,
    )

    this.addSql(
      `alter table "domains"."certificate" add constraint "certificate_source_check" check ("source" in ('UPLOADED', 'ACME'));`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "domains"."certificate" cascade;`)
  }
}
