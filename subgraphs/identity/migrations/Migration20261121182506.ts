import { Migration } from '@mikro-orm/migrations'

export class Migration20261121182506 extends Migration {
  override name = 'Migration20261121182506'

  override up(): void | Promise<void> {
    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed', 'second-factor-on', 'second-factor-off', 'recovery-code-used', 'social-linked', 'social-unlinked', 'passkey-added', 'passkey-removed', 'account-deleted', 'authtoken-reported', 'api-key-reported', 'authtoken-expires', 'security-anomaly', 'user-suspended', 'organization-suspended'));`,
    )
    this.addSql(`drop trigger if exists "sign_in_deleted" on "identity"."sign_in";`)
    this.addSql(`drop function if exists "identity"."sign_in_sign_in_deleted_fn"();`)
    this.addSql(`drop trigger if exists "sign_in_ended" on "identity"."sign_in";`)
    this.addSql(`drop function if exists "identity"."sign_in_sign_in_ended_fn"();`)
    this.addSql(
      `create or replace function "identity"."sign_in_sign_in_deleted_fn"() returns trigger as \$\$ begin if OLD.ended_at is null and OLD.expires_at > now() then insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") values ('sign-in', OLD.id::text, clock_timestamp(), clock_timestamp() + interval '1 hour', 'owner-gone'); end if; return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(
      `create trigger "sign_in_deleted" AFTER DELETE on "identity"."sign_in" for each ROW execute function "identity"."sign_in_sign_in_deleted_fn"();`,
    )
    this.addSql(
      `create or replace function "identity"."sign_in_sign_in_ended_fn"() returns trigger as \$\$ begin if OLD.ended_at is null and NEW.ended_at is not null then insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") values ('sign-in', NEW.id::text, NEW.ended_at, NEW.ended_at + interval '1 hour', coalesce(NEW.end_reason, 'revoked')); end if; return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(
      `create trigger "sign_in_ended" AFTER UPDATE on "identity"."sign_in" for each ROW execute function "identity"."sign_in_sign_in_ended_fn"();`,
    )
    this.addSql(
      `create or replace function "identity"."member_member_changed_fn"() returns trigger as \$\$ begin if OLD.role <> NEW.role or OLD.custom_role_id is distinct from NEW.custom_role_id then insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") values ('membership', OLD.organization_id || ':' || OLD.user_id, clock_timestamp(), clock_timestamp() + interval '1 hour', 'changed'); end if; return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(
      `create trigger "member_changed" AFTER UPDATE on "identity"."member" for each ROW execute function "identity"."member_member_changed_fn"();`,
    )
    this.addSql(
      `create or replace function "identity"."member_member_removed_fn"() returns trigger as \$\$ begin if true then insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") values ('membership', OLD.organization_id || ':' || OLD.user_id, clock_timestamp(), clock_timestamp() + interval '1 hour', 'changed'); end if; return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(
      `create trigger "member_removed" AFTER DELETE on "identity"."member" for each ROW execute function "identity"."member_member_removed_fn"();`,
    )
    this.addSql(`drop trigger if exists "authtoken_deleted" on "identity"."authtoken";`)
    this.addSql(`drop function if exists "identity"."authtoken_authtoken_deleted_fn"();`)
    this.addSql(`drop trigger if exists "authtoken_revoked" on "identity"."authtoken";`)
    this.addSql(`drop function if exists "identity"."authtoken_authtoken_revoked_fn"();`)
    this.addSql(
      `create or replace function "identity"."authtoken_authtoken_deleted_fn"() returns trigger as \$\$ begin if OLD.revoked_at is null then insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") values ('authtoken', OLD.id::text, clock_timestamp(), clock_timestamp() + interval '2 days', 'owner-gone'); end if; return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(
      `create trigger "authtoken_deleted" AFTER DELETE on "identity"."authtoken" for each ROW execute function "identity"."authtoken_authtoken_deleted_fn"();`,
    )
    this.addSql(
      `create or replace function "identity"."authtoken_authtoken_revoked_fn"() returns trigger as \$\$ begin if OLD.revoked_at is null and NEW.revoked_at is not null then insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") values ('authtoken', NEW.id::text, NEW.revoked_at, NEW.revoked_at + interval '2 days', coalesce(NEW.revoked_reason, 'revoked')); end if; return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(
      `create trigger "authtoken_revoked" AFTER UPDATE on "identity"."authtoken" for each ROW execute function "identity"."authtoken_authtoken_revoked_fn"();`,
    )
    this.addSql(`drop trigger if exists "api_key_deleted" on "identity"."api_key";`)
    this.addSql(`drop function if exists "identity"."api_key_api_key_deleted_fn"();`)
    this.addSql(`drop trigger if exists "api_key_revoked" on "identity"."api_key";`)
    this.addSql(`drop function if exists "identity"."api_key_api_key_revoked_fn"();`)
    this.addSql(
      `create or replace function "identity"."api_key_api_key_deleted_fn"() returns trigger as \$\$ begin if OLD.revoked_at is null then insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") values ('api-key', OLD.id::text, clock_timestamp(), clock_timestamp() + interval '2 days', 'owner-gone'); end if; return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(
      `create trigger "api_key_deleted" AFTER DELETE on "identity"."api_key" for each ROW execute function "identity"."api_key_api_key_deleted_fn"();`,
    )
    this.addSql(
      `create or replace function "identity"."api_key_api_key_revoked_fn"() returns trigger as \$\$ begin if OLD.revoked_at is null and NEW.revoked_at is not null then insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") values ('api-key', NEW.id::text, NEW.revoked_at, NEW.revoked_at + interval '2 days', coalesce(NEW.revoked_reason, 'revoked')); end if; return null; end; \$\$ language plpgsql;`,
    )
    this.addSql(
      `create trigger "api_key_revoked" AFTER UPDATE on "identity"."api_key" for each ROW execute function "identity"."api_key_api_key_revoked_fn"();`,
    )
  }

  /** The other triggers stay as they are: they do what they did. */
  override down(): void | Promise<void> {
    this.addSql(`alter table "identity"."mail" drop constraint "mail_kind_check";`)
    this.addSql(
      `alter table "identity"."mail" add constraint "mail_kind_check" check ("kind" in ('verify-email', 'change-email', 'email-change-asked', 'email-changed', 'reset-password', 'password-changed', 'second-factor-on', 'second-factor-off', 'recovery-code-used', 'social-linked', 'social-unlinked', 'passkey-added', 'passkey-removed', 'account-deleted', 'security-anomaly', 'user-suspended', 'organization-suspended'));`,
    )
    this.addSql(`drop trigger if exists "member_changed" on "identity"."member";`)
    this.addSql(`drop function if exists "identity"."member_member_changed_fn"();`)
    this.addSql(`drop trigger if exists "member_removed" on "identity"."member";`)
    this.addSql(`drop function if exists "identity"."member_member_removed_fn"();`)
  }
}
