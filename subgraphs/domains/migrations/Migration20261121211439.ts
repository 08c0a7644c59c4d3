import { Migration } from '@mikro-orm/migrations'

export class Migration20261121211439 extends Migration {
  override name = 'Migration20261121211439'

  override up(): void | Promise<void> {
    this.addSql(`alter table "domains"."custom_domain" add "added_by" uuid null;`)
    this.addSql(
      `create index "custom_domain_added_by_index" on "domains"."custom_domain" ("added_by");`,
    )
    // Who added those of the last weeks is in what the audit was told.
    this.addSql(
      `update "domains"."custom_domain" as domain set added_by = (event.payload #>> '{actor,userId}')::uuid
       from "domains"."outbox_event" as event
       where event.name = 'act.recorded' and event.payload ->> 'action' = 'domain.added'
         and event.payload #>> '{target,id}' = domain.id::text;`,
    )
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "domains"."custom_domain_added_by_index";`)
    this.addSql(`alter table "domains"."custom_domain" drop column "added_by";`)
  }
}
