import { X509Certificate } from 'node:crypto'

import { SluiceError } from '@sluice/schema/errors'

import { isWebAddress } from './oidc.ts'
import { childrenOf, parseXml, space } from './saml-xml.ts'
import type { SamlProvider } from './sso-connection.entity.ts'

/** Metadata of one identity provider has some kilobytes; that of a federation has megabytes, and is not for us. */
export const metadataBytesMax = 512 * 1024

const redirectBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
const certificatesMax = 10
const issuerCharactersMax = 1_024

/** Reads the metadata of a SAML identity provider. Throws SLUICE_SSO_METADATA_INVALID. */
export function parseSamlMetadata(text: string): SamlProvider {
  if (Buffer.byteLength(text) > metadataBytesMax) {
    throw invalid(`it is larger than ${metadataBytesMax} bytes`)
  }
  const entity = entityOf(rootOf(text))
  const issuer = entity.getAttribute('entityID')?.trim() ?? ''
  if (issuer === '' || issuer.length > issuerCharactersMax) throw invalid('it names no entity id')
  const provider = childrenOf(entity, space.metadata, 'IDPSSODescriptor').find((one) =>
    one.getAttribute('protocolSupportEnumeration')?.split(/\s+/).includes(space.protocol),
  )
  if (!provider) throw invalid('it is not of an identity provider for SAML 2.0')

  const signInUrl = locationOf(provider, 'SingleSignOnService')
  if (!signInUrl) throw invalid('it has no sign-in address with the HTTP-Redirect binding')
  const certificates = certificatesOf(provider)
  if (certificates.length === 0) throw invalid('it holds no certificate for signing')
  return {
    issuer,
    signInUrl,
    signOutUrl: locationOf(provider, 'SingleLogoutService'),
    certificates,
    ...(isTrue(provider.getAttribute('WantAuthnRequestsSigned'))
      ? { wantsSignedRequests: true }
      : {}),
  }
}

/** An XML Schema boolean. */
function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1'
}

function entityOf(root: Element): Element {
  if (root.namespaceURI !== space.metadata) throw invalid('it is not SAML metadata')
  if (root.localName === 'EntityDescriptor') return root
  const providers = childrenOf(root, space.metadata, 'EntityDescriptor').filter(
    (one) => childrenOf(one, space.metadata, 'IDPSSODescriptor').length > 0,
  )
  const [only] = providers
  if (!only || providers.length > 1) {
    throw invalid('it holds several identity providers, or none: give that of yours alone')
  }
  return only
}

/** The root of XML that a tenant gave: no document types, so no entities. */
function rootOf(text: string): Element {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw invalid('it has a document type')
  const parsed = parseXml(text.replace(/^\uFEFF/, '').trim())
  if ('root' in parsed) return parsed.root
  throw invalid('it is not XML')
}

function locationOf(provider: Element, name: string): string | null {
  const service = childrenOf(provider, space.metadata, name).find(
    (one) => one.getAttribute('Binding') === redirectBinding,
  )
  const location = service?.getAttribute('Location') ?? ''
  return isWebAddress(location) ? location : null
}

function certificatesOf(provider: Element): string[] {
  const keys = childrenOf(provider, space.metadata, 'KeyDescriptor').filter(
    (one) => (one.getAttribute('use') || 'signing') === 'signing',
  )
  const texts = keys.flatMap((key) =>
    Array.from(
      key.getElementsByTagNameNS(space.signature, 'X509Certificate'),
      (one) => one.textContent ?? '',
    ),
  )
  if (texts.length > certificatesMax)
    throw invalid(`it holds more than ${certificatesMax} certificates`)
  return [...new Set(texts.map(pemOf))]
}

function pemOf(text: string): string {
  try {
    return new X509Certificate(Buffer.from(text.replaceAll(/\s/g, ''), 'base64')).toString()
  } catch (error) {
    throw invalid('a certificate in it cannot be read', error)
  }
}

function invalid(reason: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE_SSO_METADATA_INVALID', { reason }, { cause })
}
