import {
  commonAttributes,
  enterpriseSchema,
  enterpriseSchemaId,
  groupSchema,
  groupSchemaId,
  userSchema,
  userSchemaId,
  type Attribute,
  type Schema,
} from './attributes.ts'
import { countMax } from './list.ts'
import type { Data } from './resource.ts'

/** What this server can do (RFC 7643 §5). */
export function serviceProviderConfig(baseUrl: string): Data {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: countMax },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: true },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'SCIM token',
        description: 'A token of the organization, as `Authorization: Bearer slc_…`.',
        specUri: 'https://www.rfc-editor.org/info/rfc6750',
        primary: true,
      },
    ],
    meta: metaOf('ServiceProviderConfig', `${baseUrl}/ServiceProviderConfig`),
  }
}

export function resourceTypes(baseUrl: string): Data[] {
  const types = [
    { name: 'User', endpoint: '/Users', schema: userSchemaId, extensions: [enterpriseSchemaId] },
    { name: 'Group', endpoint: '/Groups', schema: groupSchemaId, extensions: [] },
  ]
  return types.map(({ name, endpoint, schema, extensions }) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
    id: name,
    name,
    endpoint,
    schema,
    ...(extensions.length === 0
      ? {}
      : { schemaExtensions: extensions.map((id) => ({ schema: id, required: false })) }),
    meta: metaOf('ResourceType', `${baseUrl}/ResourceTypes/${name}`),
  }))
}

export function schemas(baseUrl: string): Data[] {
  return [userSchema, groupSchema, enterpriseSchema].map((schema) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
    id: schema.id,
    name: schema.name,
    description: schema.description,
    attributes: attributesOf(schema).map(described),
    meta: metaOf('Schema', `${baseUrl}/Schemas/${schema.id}`),
  }))
}

/** `externalId` is common to all resources, but providers look for it in the schema. */
function attributesOf({ id, attributes }: Schema): readonly Attribute[] {
  if (id === enterpriseSchemaId) return attributes
  return [...commonAttributes.filter(({ name }) => name === 'externalId'), ...attributes]
}

function described(attribute: Attribute): Data {
  const { name, description, type = 'string', subAttributes } = attribute
  return {
    name,
    type,
    multiValued: attribute.multiValued === true,
    description,
    required: attribute.required === true,
    caseExact: attribute.caseExact === true,
    mutability: attribute.readOnly ? 'readOnly' : 'readWrite',
    returned: attribute.always ? 'always' : 'default',
    uniqueness: attribute.unique ? 'server' : 'none',
    ...(type === 'reference' ? { referenceTypes: ['external'] } : {}),
    ...(subAttributes ? { subAttributes: subAttributes.map(described) } : {}),
  }
}

function metaOf(resourceType: string, location: string): Data {
  return { resourceType, location }
}
