import { Migration } from '@mikro-orm/migrations'

export class Migration20261121182217 extends Migration {
  override name = 'Migration20261121182217'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "identity"."audit_stream" ("id" uuid not null, "organization_id" uuid not null, "name" varchar(100) not null, "kind" text not null, "url" varchar(2048) not null, "region" varchar(64) null, "access_key_id" varchar(128) null, "sealed_secret" varchar(1000) not null, "sealing_key_id" varchar(64) not null, "is_on" boolean not null, "delivered" bigint not null, "failures" int not null, "last_error" varchar(500) null, "next_at" timestamptz(3) not null, "delivered_at" timestamptz(3) null, "created_at" timestamptz(3) not null, "created_by" uuid null, primary key ("id"));`,
    )
    this.addSql(
      `create index "audit_stream_due" on "identity"."audit_stream" ("next_at") where is_on;`,
    )
    this.addSql(
      `alter table "identity"."audit_stream" add constraint "audit_stream_name" unique ("organization_id", "name");`,
    )
    this.addSql(
      `alter table "identity"."audit_stream" add constraint "audit_stream_organization_id_foreign" foreign key ("organization_id") references "identity"."organization" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity"."audit_stream" add constraint "audit_stream_kind_check" check ("kind" in ('webhook', 'bucket'));`,
    )
    this.addSql(
      `create index "audit_entry_words" on "identity"."audit_entry" using gin (to_tsvector('simple', regexp_replace(action || ' ' || actor_name || ' ' || coalesce(details, '') || ' ' || coalesce(target_id, '') || ' ' || coalesce(ip, ''), '[!-/:-@[-\`{-~]+', ' ', 'g')));`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "identity"."audit_stream" cascade;`)
    this.addSql(`drop index "identity"."audit_entry_words";`)
  }
}
