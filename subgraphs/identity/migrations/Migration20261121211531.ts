import { Migration } from '@mikro-orm/migrations'

export class Migration20261121211531 extends Migration {
  override name = 'Migration20261121211531'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "identity"."saml_key" ("id" uuid not null, "connection_id" uuid not null, "sealed_private_key" text not null, "sealing_key_id" varchar(64) not null, "certificate" text not null, "created_at" timestamptz(3) not null, primary key ("id"));`,
    )
    this.addSql(
      `create index "saml_key_connection_id_index" on "identity"."saml_key" ("connection_id");`,
    )
    this.addSql(
      `create index "saml_key_sealing_key_id_index" on "identity"."saml_key" ("sealing_key_id");`,
    )

    this.addSql(
      `alter table "identity"."sso_connection" add "signs_requests" boolean not null default false;`,
    )

    this.addSql(
      `alter table "identity"."saml_key" add constraint "saml_key_connection_id_foreign" foreign key ("connection_id") references "identity"."sso_connection" ("id") on delete cascade;`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "identity"."saml_key" cascade;`)

    this.addSql(`alter table "identity"."sso_connection" drop column "signs_requests";`)
  }
}
