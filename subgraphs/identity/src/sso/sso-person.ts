/** What signing out at the identity provider needs. */
export type SsoSession =
  | { readonly kind: 'OIDC'; readonly idToken: string; readonly signOutUrl: string | null }
  | {
      readonly kind: 'SAML'
      readonly nameId: string
      readonly nameIdFormat: string | null
      readonly sessionIndex: string | null
    }

export interface Attribute {
  readonly name: string
  readonly values: readonly string[]
}

/** Whom an identity provider says that somebody is; nothing of it is believed beyond its organization. */
export interface SsoPerson {
  /** With `subject`, who it is. */
  readonly issuer: string
  readonly subject: string
  readonly email: string | null
  /** The provider itself says that it has not seen them read the address. */
  readonly isEmailDenied: boolean
  readonly name: string | null
  /** Values of the attribute that decides the role. */
  readonly roleValues: readonly string[]
  readonly attributes: readonly Attribute[]
  readonly session: SsoSession
  /** When the provider wants to be asked again. */
  readonly sessionEndsAt: Date | null
}

const valuesMax = 200
const valueCharactersMax = 500
const attributesMax = 50
const shownValuesMax = 50

/** The texts of a claim or attribute, bounded: who is in a thousand groups is told by the first two hundred. */
export function valuesOf(value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list
    .filter((one) => typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean')
    .slice(0, valuesMax)
    .map((one) => String(one).slice(0, valueCharactersMax))
}

/** What a connection test keeps to be chosen from. */
export function attributesOf(attributes: readonly Attribute[]): Attribute[] {
  return attributes
    .filter(({ values }) => values.length > 0)
    .slice(0, attributesMax)
    .map(({ name, values }) => ({
      name: name.slice(0, 200),
      values: values.slice(0, shownValuesMax),
    }))
}
