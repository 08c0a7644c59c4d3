import { Migration } from '@mikro-orm/migrations'

export class Migration20261121121520 extends Migration {
  override name = 'Migration20261121121520'

  override up(): void | Promise<void> {
    this.addSql(`create schema if not exists "domains";`)
    this.addSql(
      `create table "domains"."allowance" ("organization_id" uuid not null, "max_custom_domains" int not null, primary key ("organization_id"));`,
    )

    this.addSql(
      `create table "domains"."custom_domain" ("id" uuid not null, "organization_id" uuid not null, "domain" varchar(253) not null, "token" varchar(64) not null, "status" text not null, "created_at" timestamptz not null, "verified_at" timestamptz null, "tunnel_id" uuid null, "last_checked_at" timestamptz null, "last_error" varchar(500) null, "txt_found" boolean null, "cname_found" boolean null, "dns_checks" int not null, "next_dns_check_at" timestamptz null, "tls_status" text null, "tls_expires_at" timestamptz null, "tls_issuer" varchar(200) null, "tls_error" varchar(500) null, "tls_checked_at" timestamptz null, "next_tls_probe_at" timestamptz null, primary key ("id"));`,
    )
    this.addSql(`create index "custom_domain_tunnel" on "domains"."custom_domain" ("tunnel_id");`)
    this.addSql(
      `create index "custom_domain_dns_due" on "domains"."custom_domain" ("next_dns_check_at");`,
    )
    this.addSql(
      `create index "custom_domain_tls_due" on "domains"."custom_domain" ("next_tls_probe_at");`,
    )
    this.addSql(
      `alter table "domains"."custom_domain" add constraint "custom_domain_once" unique ("organization_id", "domain");`,
    )
    this.addSql(
      `create unique index "custom_domain_verified_once" on "domains"."custom_domain" ("domain") where "status" = 'VERIFIED';`,
    )

    this.addSql(
      `create table "domains"."inbox_event" ("id" uuid not null, "name" varchar(64) not null, "received_at" timestamptz not null, "failure" text null, primary key ("id"));`,
    )

    this.addSql(
      `create table "domains"."inbox_version" ("entity" varchar(120) not null, "noun" varchar(64) not null, "version" bigint not null, primary key ("entity", "noun"));`,
    )

    this.addSql(
      `create table "domains"."known_tunnel" ("id" uuid not null, "organization_id" uuid not null, primary key ("id"));`,
    )

    this.addSql(
      `create table "domains"."outbox_event" ("sequence" bigserial primary key, "id" uuid not null, "name" varchar(64) not null, "entity" varchar(120) not null, "payload" jsonb not null, "occurred_at" timestamptz not null, "published_at" timestamptz null);`,
    )
    this.addSql(
      `alter table "domains"."outbox_event" add constraint "outbox_event_id_unique" unique ("id");`,
    )
    this.addSql(
      `create index "outbox_event_unpublished" on "domains"."outbox_event" ("published_at", "sequence");`,
    )

    this.addSql(
      `alter table "domains"."custom_domain" add constraint "custom_domain_status_check" check ("status" in ('PENDING', 'VERIFIED'));`,
    )
    this.addSql(
      `alter table "domains"."custom_domain" add constraint "custom_domain_tls_status_check" check ("tls_status" in ('VALID', 'EXPIRING', 'EXPIRED', 'MISMATCH', 'UNREACHABLE'));`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "domains"."allowance" cascade;`)
    this.addSql(`drop table if exists "domains"."custom_domain" cascade;`)
    this.addSql(`drop table if exists "domains"."inbox_event" cascade;`)
    this.addSql(`drop table if exists "domains"."inbox_version" cascade;`)
    this.addSql(`drop table if exists "domains"."known_tunnel" cascade;`)
    this.addSql(`drop table if exists "domains"."outbox_event" cascade;`)

    this.addSql(`drop schema if exists "domains";`)
  }
}
