import { Migration } from '@mikro-orm/migrations'

export class Migration20261121122037 extends Migration {
  override name = 'Migration20261121122037'

  override up(): void | Promise<void> {
    this.addSql(`create schema if not exists "billing";`)
    this.addSql(
      `create table "billing"."applied_usage_batch" ("id" uuid not null, "applied_at" timestamptz not null, primary key ("id"));`,
    )
    this.addSql(
      `create index "applied_usage_batch_age" on "billing"."applied_usage_batch" ("applied_at");`,
    )

    this.addSql(
      `create table "billing"."inbox_event" ("id" uuid not null, "name" varchar(64) not null, "received_at" timestamptz not null, "failure" text null, primary key ("id"));`,
    )

    this.addSql(
      `create table "billing"."inbox_version" ("entity" varchar(120) not null, "noun" varchar(64) not null, "version" bigint not null, primary key ("entity", "noun"));`,
    )

    this.addSql(
      `create table "billing"."known_tunnel" ("id" uuid not null, "organization_id" uuid not null, primary key ("id"));`,
    )
    this.addSql(
      `create index "known_tunnel_organization" on "billing"."known_tunnel" ("organization_id");`,
    )

    this.addSql(
      `create table "billing"."outbox_event" ("sequence" bigserial primary key, "id" uuid not null, "name" varchar(64) not null, "entity" varchar(120) not null, "payload" jsonb not null, "occurred_at" timestamptz not null, "published_at" timestamptz null);`,
    )
    this.addSql(
      `alter table "billing"."outbox_event" add constraint "outbox_event_id_unique" unique ("id");`,
    )
    this.addSql(
      `create index "outbox_event_unpublished" on "billing"."outbox_event" ("published_at", "sequence");`,
    )

    this.addSql(
      `create table "billing"."plan_subscription" ("id" uuid not null, "organization_id" uuid not null, "plan_id" varchar(32) not null, "started_at" timestamptz not null, "changed_at" timestamptz null, "changed_by" uuid null, primary key ("id"));`,
    )
    this.addSql(
      `alter table "billing"."plan_subscription" add constraint "plan_subscription_organization_id_unique" unique ("organization_id");`,
    )

    this.addSql(
      `create table "billing"."usage_dead_letter" ("id" varchar(200) not null, "text" text not null, "reason" text not null, "received_at" timestamptz not null, primary key ("id"));`,
    )

    this.addSql(
      `create table "billing"."usage_hour" ("organization_id" uuid not null, "hour" timestamptz not null, "tunnel_id" uuid not null, "requests" bigint not null, "bytes_in" bigint not null, "bytes_out" bigint not null, "rolled_up" boolean not null, primary key ("organization_id", "hour", "tunnel_id"));`,
    )
    this.addSql(
      `create index "usage_hour_to_roll_up" on "billing"."usage_hour" ("organization_id") where "rolled_up" = false;`,
    )

    this.addSql(
      `create table "billing"."usage_period" ("organization_id" uuid not null, "period_start" timestamptz not null, "requests" bigint not null, "bytes" bigint not null, "rolled_up_at" timestamptz not null, primary key ("organization_id", "period_start"));`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "billing"."applied_usage_batch" cascade;`)
    this.addSql(`drop table if exists "billing"."inbox_event" cascade;`)
    this.addSql(`drop table if exists "billing"."inbox_version" cascade;`)
    this.addSql(`drop table if exists "billing"."known_tunnel" cascade;`)
    this.addSql(`drop table if exists "billing"."outbox_event" cascade;`)
    this.addSql(`drop table if exists "billing"."plan_subscription" cascade;`)
    this.addSql(`drop table if exists "billing"."usage_dead_letter" cascade;`)
    this.addSql(`drop table if exists "billing"."usage_hour" cascade;`)
    this.addSql(`drop table if exists "billing"."usage_period" cascade;`)

    this.addSql(`drop schema if exists "billing";`)
  }
}
