import { Migration } from '@mikro-orm/migrations'

export class Migration20261121120930 extends Migration {
  override name = 'Migration20261121120930'

  override up(): void | Promise<void> {
    this.addSql(`create schema if not exists "tunnels";`)
    this.addSql(
      `create table "tunnels"."agent_session" ("id" varchar(64) not null, "organization_id" uuid not null, "tunnel_id" uuid not null, "relay_id" varchar(64) not null, "epoch" int not null, "since" timestamptz not null, "last_seen_at" timestamptz not null, "ended_at" timestamptz null, primary key ("id"));`,
    )
    this.addSql(
      `create index "agent_session_open_of_tunnel" on "tunnels"."agent_session" ("tunnel_id") where "ended_at" is null;`,
    )
    this.addSql(
      `create index "agent_session_open_of_relay" on "tunnels"."agent_session" ("relay_id") where "ended_at" is null;`,
    )
    this.addSql(`create index "agent_session_ended" on "tunnels"."agent_session" ("ended_at");`)

    this.addSql(
      `create table "tunnels"."attached_domain" ("domain_id" uuid not null, "organization_id" uuid not null, "domain" varchar(253) not null, "tunnel_id" uuid not null, primary key ("domain_id"));`,
    )
    this.addSql(
      `create index "attached_domain_tunnel" on "tunnels"."attached_domain" ("tunnel_id");`,
    )

    this.addSql(
      `create table "tunnels"."dead_letter" ("stream" varchar(120) not null, "entry_id" varchar(64) not null, "text" text not null, "reason" text not null, "at" timestamptz not null, primary key ("stream", "entry_id"));`,
    )
    this.addSql(`create index "dead_letter_at" on "tunnels"."dead_letter" ("at");`)

    this.addSql(
      `create table "tunnels"."inbox_event" ("id" uuid not null, "name" varchar(64) not null, "received_at" timestamptz not null, "failure" text null, primary key ("id"));`,
    )

    this.addSql(
      `create table "tunnels"."inbox_version" ("entity" varchar(120) not null, "noun" varchar(64) not null, "version" bigint not null, primary key ("entity", "noun"));`,
    )

    this.addSql(
      `create table "tunnels"."organization" ("organization_id" uuid not null, "plan_id" varchar(64) null, "entitlements" jsonb null, primary key ("organization_id"));`,
    )

    this.addSql(
      `create table "tunnels"."outbox_event" ("sequence" bigserial primary key, "id" uuid not null, "name" varchar(64) not null, "entity" varchar(120) not null, "payload" jsonb not null, "occurred_at" timestamptz not null, "published_at" timestamptz null);`,
    )
    this.addSql(
      `alter table "tunnels"."outbox_event" add constraint "outbox_event_id_unique" unique ("id");`,
    )
    this.addSql(
      `create index "outbox_event_unpublished" on "tunnels"."outbox_event" ("published_at", "sequence");`,
    )

    this.addSql(
      `create table "tunnels"."relay" ("id" varchar(64) not null, "region" varchar(32) not null, "edge_url" varchar(500) not null, "public_http_url" varchar(500) not null, "version" varchar(64) not null, "capacity" int not null, "draining" boolean not null, "sessions" int not null, "connections" int not null, "registered_at" timestamptz not null, "last_seen_at" timestamptz not null, primary key ("id"));`,
    )

    this.addSql(
      `create table "tunnels"."tunnel" ("id" uuid not null, "organization_id" uuid not null, "name" varchar(63) not null, "endpoint_host" varchar(253) not null, "host_header" varchar(260) null, "policy" jsonb not null, "region" varchar(32) null, "owner_id" uuid null, "relay_id" varchar(64) null, "epoch" int not null default 0, "created_at" timestamptz not null, "started_at" timestamptz null, "stopped_at" timestamptz null, "deleted_at" timestamptz null, primary key ("id"));`,
    )
    this.addSql(
      `create index "tunnel_newest" on "tunnels"."tunnel" ("organization_id", "created_at", "id") where "deleted_at" is null;`,
    )
    this.addSql(
      `create unique index "tunnel_endpoint_host" on "tunnels"."tunnel" ("endpoint_host") where "deleted_at" is null;`,
    )
    this.addSql(
      `create unique index "tunnel_name" on "tunnels"."tunnel" ("organization_id", "name") where "deleted_at" is null;`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "tunnels"."agent_session" cascade;`)
    this.addSql(`drop table if exists "tunnels"."attached_domain" cascade;`)
    this.addSql(`drop table if exists "tunnels"."dead_letter" cascade;`)
    this.addSql(`drop table if exists "tunnels"."inbox_event" cascade;`)
    this.addSql(`drop table if exists "tunnels"."inbox_version" cascade;`)
    this.addSql(`drop table if exists "tunnels"."organization" cascade;`)
    this.addSql(`drop table if exists "tunnels"."outbox_event" cascade;`)
    this.addSql(`drop table if exists "tunnels"."relay" cascade;`)
    this.addSql(`drop table if exists "tunnels"."tunnel" cascade;`)

    this.addSql(`drop schema if exists "tunnels";`)
  }
}
