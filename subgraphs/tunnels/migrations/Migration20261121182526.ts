import { Migration } from '@mikro-orm/migrations'

export class Migration20261121182526 extends Migration {
  override name = 'Migration20261121182526'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "tunnels"."webhook_delivery" ("id" uuid not null, "organization_id" uuid not null, "endpoint_id" uuid not null, "message_id" varchar(64) not null, "event" varchar(64) not null, "occurred_at" timestamptz not null, "data" jsonb not null, "state" varchar(16) not null default 'PENDING', "attempts" int not null default 0, "attempt_log" jsonb not null, "next_attempt_at" timestamptz not null, "leased_until" timestamptz null, "created_at" timestamptz not null, primary key ("id"));`,
    )
    this.addSql(
      `create index "webhook_delivery_due" on "tunnels"."webhook_delivery" ("endpoint_id", "next_attempt_at") where "state" = 'PENDING';`,
    )
    this.addSql(
      `create index "webhook_delivery_newest" on "tunnels"."webhook_delivery" ("endpoint_id", "created_at", "id");`,
    )
    this.addSql(
      `create index "webhook_delivery_age" on "tunnels"."webhook_delivery" ("created_at");`,
    )
    this.addSql(
      `alter table "tunnels"."webhook_delivery" add constraint "webhook_delivery_message" unique ("endpoint_id", "message_id");`,
    )

    this.addSql(
      `create table "tunnels"."webhook_endpoint" ("id" uuid not null, "organization_id" uuid not null, "url" varchar(2048) not null, "description" varchar(200) not null default '', "events" jsonb not null, "captured_per_minute_max" int not null, "is_enabled" boolean not null default true, "disabled_reason" varchar(16) null, "failing_since" timestamptz null, "sealing_key_id" varchar(64) not null, "sealed" text not null, "previous_sealing_key_id" varchar(64) null, "previous_sealed" text null, "previous_until" timestamptz null, "created_at" timestamptz not null, primary key ("id"));`,
    )
    this.addSql(
      `create index "webhook_endpoint_of_organization" on "tunnels"."webhook_endpoint" ("organization_id");`,
    )

    this.addSql(
      `create table "tunnels"."webhook_presence" ("tunnel_id" uuid not null, "organization_id" uuid not null, "is_online" boolean not null, "changed_at" timestamptz not null, primary key ("tunnel_id"));`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "tunnels"."webhook_delivery" cascade;`)
    this.addSql(`drop table if exists "tunnels"."webhook_endpoint" cascade;`)
    this.addSql(`drop table if exists "tunnels"."webhook_presence" cascade;`)
  }
}
