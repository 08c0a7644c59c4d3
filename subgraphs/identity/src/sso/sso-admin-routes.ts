import type { RestRoute } from '@sluice/kit/rest'
import { roles } from '@sluice/schema/permissions'
import { z } from 'zod'

import { createContext, type Context, type Deps } from '../context.ts'
import { organizationOf, parseBody } from '../rest-request.ts'
import { roleGivenBy } from '../role/role-given-by.ts'
import { inputInvalid } from '../text.ts'
import { configureOidc, configureSaml, findConnection, setEnforcement } from './connection.ts'
import { findEmailDomains } from './email-domain.ts'
import { configureRoles, findMappings } from './role-rules.ts'
import { findSamlKeys } from './saml-key.ts'
import { metadataBytesMax } from './saml-metadata.ts'
import { ssoEnforcements } from './sso-connection.entity.ts'

const role = z.enum(roles)
const rule = z.strictObject({
  value: z.string(),
  role: role.optional(),
  customRoleId: z.string().optional(),
})

/** What `PUT /v1/admin/sso` takes. What is left out stays as it is. */
const SsoSettings = z.strictObject({
  oidc: z
    .strictObject({
      issuer: z.string(),
      clientId: z.string(),
      clientSecret: z.string().optional(),
    })
    .optional(),
  saml: z
    .strictObject({
      metadataUrl: z.string().optional(),
      metadata: z.string().optional(),
      signsRequests: z.boolean().optional(),
    })
    .optional(),
  roles: z
    .strictObject({
      admitsNewMembers: z.boolean(),
      defaultRole: role.optional(),
      defaultCustomRoleId: z.string().optional(),
      attribute: z.string().nullable().optional(),
      mappings: z.array(rule),
    })
    .optional(),
  enforcement: z
    .string()
    .transform((text) => text.toUpperCase())
    .pipe(z.enum(ssoEnforcements))
    .optional(),
})

/** `GET` and `PUT /v1/admin/sso`: the same rules as in the graph, for scripts that set organizations up. */
export function ssoAdminRoutes(deps: Deps): RestRoute[] {
  const path = '/v1/admin/sso'
  return [
    {
      method: 'GET',
      path,
      async handle({ caller, query }) {
        const context = createContext(deps, caller)
        const organizationId = organizationOf(context.principal, query, 'sso.manage')
        return { status: 200, body: await settingsOf(context, organizationId) }
      },
    },
    {
      method: 'PUT',
      path,
      bodyBytesMax: metadataBytesMax + 64 * 1024,
      async handle({ caller, query, json }) {
        const context = createContext(deps, caller)
        const organizationId = organizationOf(context.principal, query, 'sso.manage')
        await apply(context, organizationId, parse(json()))
        return { status: 200, body: await settingsOf(createContext(deps, caller), organizationId) }
      },
    },
  ]
}

function parse(body: unknown): z.infer<typeof SsoSettings> {
  const settings = parseBody(SsoSettings, body)
  if (settings.oidc && settings.saml) throw inputInvalid('give oidc or saml, not both')
  return settings
}

async function apply(
  context: Context,
  organizationId: string,
  { oidc, saml, roles: given, enforcement }: z.infer<typeof SsoSettings>,
): Promise<void> {
  if (oidc) await configureOidc(context, { organizationId, ...oidc })
  if (saml) await configureSaml(context, { organizationId, ...saml })
  if (given) {
    const { admitsNewMembers, defaultRole, defaultCustomRoleId, attribute, mappings } = given
    await configureRoles(context, {
      organizationId,
      admitsNewMembers,
      roleAttribute: attribute,
      defaultRole: roleGivenBy({ role: defaultRole, customRoleId: defaultCustomRoleId }),
      mappings: mappings.map((one) => ({ value: one.value, given: roleGivenBy(one) })),
    })
  }
  if (enforcement) await setEnforcement(context, organizationId, enforcement)
}

async function settingsOf(context: Context, organizationId: string) {
  const { sso, em } = context
  const connection = await findConnection(context, organizationId)
  const emailDomains = await findEmailDomains(context, organizationId)
  const domains = emailDomains.map(({ id, domain, status }) => ({ id, domain, status }))
  if (!connection) return { organizationId, kind: null, enforcement: 'OFF', emailDomains: domains }
  const { id, kind, enforcement, issuer, clientId, saml, metadataUrl } = connection
  const mappings = await findMappings(em, id)
  const keys = kind === 'SAML' ? await findSamlKeys(em, id) : []
  return {
    organizationId,
    connectionId: id,
    kind,
    enforcement,
    issuer,
    oidc: kind === 'OIDC' ? { clientId, redirectUri: sso.redirectUri(id) } : null,
    saml:
      kind === 'SAML'
        ? {
            metadataUrl,
            signInUrl: saml?.signInUrl ?? null,
            ...sso.samlAddresses(id),
            signsRequests: connection.signsRequests,
            certificates: keys.map(({ certificate }) => certificate),
          }
        : null,
    roles: {
      admitsNewMembers: connection.admitsNewMembers,
      defaultRole: connection.defaultRole,
      defaultCustomRoleId: connection.defaultCustomRoleId ?? null,
      attribute: connection.roleAttribute ?? null,
      mappings: mappings.map(({ value, role: held, customRoleId }) => ({
        value,
        role: held,
        customRoleId: customRoleId ?? null,
      })),
    },
    testedAt: connection.testedAt?.toISOString() ?? null,
    emailDomains: domains,
  }
}
