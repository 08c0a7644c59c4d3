import { Migration } from '@mikro-orm/migrations'

/** The request log, one partition per day. By hand: MikroORM knows partitions as a fixed list, ours come and go. */
export class Migration20261121130000 extends Migration {
  override name = 'Migration20261121130000'

  override up(): void | Promise<void> {
    this.addSql(`create sequence "tunnels"."captured_request_sequence";`)
    this.addSql(
      `create table "tunnels"."captured_request" ("id" uuid not null, "sequence" bigint not null default nextval('"tunnels"."captured_request_sequence"'), "organization_id" uuid not null, "tunnel_id" uuid not null, "relay_id" varchar(64) not null, "endpoint_host" varchar(253) not null, "started_at" timestamptz not null, "method" varchar(64) not null, "path" varchar(2048) not null, "protocol" varchar(16) not null, "status" int not null, "code" varchar(64) null, "visitor_ip" varchar(64) not null, "request_bytes" double precision not null, "response_bytes" double precision not null, "duration_ms" double precision not null, "first_byte_ms" double precision null, "request_headers" jsonb not null, "response_headers" jsonb not null, primary key ("id", "started_at")) partition by range ("started_at");`,
    )
    // Newest first with the id as tie-break, once per list that is paged; then the order of storing, for live readers.
    this.addSql(
      `create index "captured_request_of_organization" on "tunnels"."captured_request" ("organization_id", "started_at" desc, "id" desc);`,
    )
    this.addSql(
      `create index "captured_request_of_tunnel" on "tunnels"."captured_request" ("tunnel_id", "started_at" desc, "id" desc);`,
    )
    this.addSql(
      `create index "captured_request_stored" on "tunnels"."captured_request" ("organization_id", "sequence");`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "tunnels"."captured_request" cascade;`)
    this.addSql(`drop sequence if exists "tunnels"."captured_request_sequence";`)
  }
}
