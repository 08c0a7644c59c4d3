/** One attribute as RFC 7643 §7 describes it. Filters, patches, answers and `/Schemas` all go by these. */
export interface Attribute {
  readonly name: string
  readonly description: string
  readonly type?: 'string' | 'boolean' | 'dateTime' | 'reference' | 'complex'
  readonly multiValued?: true
  readonly required?: true
  readonly caseExact?: true
  readonly readOnly?: true
  /** In every answer, whatever was asked for. */
  readonly always?: true
  readonly unique?: true
  readonly subAttributes?: readonly Attribute[]
}

export interface Schema {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly attributes: readonly Attribute[]
}

export const userSchemaId = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const groupSchemaId = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const enterpriseSchemaId = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

const text = (name: string, description: string): Attribute => ({ name, description })
const complex = (
  name: string,
  description: string,
  subAttributes: readonly Attribute[],
): Attribute => ({ name, description, type: 'complex', subAttributes })
const list = (
  name: string,
  description: string,
  subAttributes: readonly Attribute[],
): Attribute => ({ ...complex(name, description, subAttributes), multiValued: true })

const typed = [
  text('type', 'What it is for: work, home, mobile …'),
  text('display', 'A name of it for people.'),
  { name: 'primary', description: 'Whether it is the preferred one.', type: 'boolean' },
] as const satisfies readonly Attribute[]

/** What every resource has beside its schema (RFC 7643 §3.1). */
export const commonAttributes: readonly Attribute[] = [
  {
    name: 'id',
    description: 'The id that Sluice gave it.',
    caseExact: true,
    readOnly: true,
    always: true,
    unique: true,
  },
  { name: 'externalId', description: 'The id that the provider gave it.', caseExact: true },
  {
    ...complex('meta', 'What is known about the resource itself.', [
      { name: 'resourceType', description: 'User or Group.', caseExact: true, readOnly: true },
      { name: 'created', description: 'When it was made.', type: 'dateTime', readOnly: true },
      {
        name: 'lastModified',
        description: 'When it was changed last.',
        type: 'dateTime',
        readOnly: true,
      },
      { name: 'location', description: 'Its address.', type: 'reference', readOnly: true },
      { name: 'version', description: 'Its ETag.', caseExact: true, readOnly: true },
    ]),
    readOnly: true,
  },
]

export const userSchema: Schema = {
  id: userSchemaId,
  name: 'User',
  description: 'A person, as the organization sees them.',
  attributes: [
    { ...text('userName', 'Who they are to the provider.'), required: true, unique: true },
    complex('name', 'The parts of their name.', [
      text('formatted', 'All of it.'),
      text('familyName', 'The family name.'),
      text('givenName', 'The given name.'),
      text('middleName', 'The middle name.'),
      text('honorificPrefix', 'What comes before it.'),
      text('honorificSuffix', 'What comes after it.'),
    ]),
    text('displayName', 'What they are called.'),
    text('nickName', 'What they are called by friends.'),
    text('title', 'Their job.'),
    text('userType', 'How they belong to the organization.'),
    text('preferredLanguage', 'The language they prefer.'),
    text('locale', 'Where they are, for dates and numbers.'),
    text('timezone', 'Their time zone.'),
    {
      name: 'active',
      description: 'Whether they are a member of the organization.',
      type: 'boolean',
    },
    list('emails', 'Their addresses. The primary one is that of their account.', [
      text('value', 'The address.'),
      ...typed,
    ]),
    list('phoneNumbers', 'Their telephones.', [text('value', 'The number.'), ...typed]),
    list('addresses', 'Where mail on paper finds them.', [
      text('formatted', 'All of it.'),
      text('streetAddress', 'The street.'),
      text('locality', 'The town.'),
      text('region', 'The region.'),
      text('postalCode', 'The postal code.'),
      text('country', 'The country.'),
      ...typed,
    ]),
    {
      ...list('groups', 'The groups they are in.', [
        { name: 'value', description: 'The id of the group.', caseExact: true, readOnly: true },
        { name: '$ref', description: 'Its address.', type: 'reference', readOnly: true },
        { name: 'display', description: 'Its name.', readOnly: true },
      ]),
      readOnly: true,
    },
  ],
}

export const enterpriseSchema: Schema = {
  id: enterpriseSchemaId,
  name: 'EnterpriseUser',
  description: 'What a company knows of its people.',
  attributes: [
    text('employeeNumber', 'The number the company gave them.'),
    text('costCenter', 'Who pays for them.'),
    text('organization', 'The company.'),
    text('division', 'The division.'),
    text('department', 'The department.'),
    complex('manager', 'Who leads them.', [
      { name: 'value', description: 'The id that the provider gave them.', caseExact: true },
      { name: '$ref', description: 'Their address.', type: 'reference' },
      text('displayName', 'What they are called.'),
    ]),
  ],
}

export const groupSchema: Schema = {
  id: groupSchemaId,
  name: 'Group',
  description: 'People who have something in common. A role in Sluice can be given to all of them.',
  attributes: [
    { ...text('displayName', 'What it is called.'), required: true, unique: true },
    list('members', 'Who is in it: people only, no groups.', [
      { name: 'value', description: 'The id of the person.', caseExact: true },
      { name: '$ref', description: 'Their address.', type: 'reference' },
      { name: 'display', description: 'What they are called.', readOnly: true },
      { name: 'type', description: 'Always User.', readOnly: true },
    ]),
  ],
}

export type ResourceType = 'User' | 'Group'

const schemasOf: Readonly<Record<ResourceType, readonly Schema[]>> = {
  User: [userSchema, enterpriseSchema],
  Group: [groupSchema],
}

/** An attribute that was found by its name. `extension` is the key under which a resource keeps those of an extension. */
export interface AttributePath {
  readonly extension: string | null
  readonly attribute: Attribute
  readonly sub: Attribute | null
}

/** The extension that a text names, or null. */
export function extensionOf(type: ResourceType, id: string): Schema | null {
  const wanted = id.toLowerCase()
  return schemasOf[type].slice(1).find((schema) => schema.id.toLowerCase() === wanted) ?? null
}

/**
 * Finds `name`, `name.sub` or either behind the id of its schema, whatever the case (RFC 7643 §2.1); null for what
 * there is not.
 */
export function findAttribute(type: ResourceType, path: string): AttributePath | null {
  const [core, ...extensions] = schemasOf[type]
  const behind = (schema: Schema | undefined): string | null => {
    const prefix = `${schema?.id.toLowerCase()}:`
    return path.toLowerCase().startsWith(prefix) ? path.slice(prefix.length) : null
  }
  for (const schema of extensions) {
    const rest = behind(schema)
    if (rest !== null) return among(schema.attributes, rest, schema.id)
  }
  return among([...commonAttributes, ...(core?.attributes ?? [])], behind(core) ?? path, null)
}

function among(
  attributes: readonly Attribute[],
  path: string,
  extension: string | null,
): AttributePath | null {
  const [name = '', subName, ...more] = path.split('.')
  const attribute = attributeIn(attributes, name)
  if (!attribute || more.length > 0) return null
  if (subName === undefined) return { extension, attribute, sub: null }
  const sub = attributeIn(attribute.subAttributes ?? [], subName)
  return sub ? { extension, attribute, sub } : null
}

export function attributeIn(attributes: readonly Attribute[], name: string): Attribute | null {
  const wanted = name.toLowerCase()
  return attributes.find((one) => one.name.toLowerCase() === wanted) ?? null
}
