import { X509Certificate } from 'node:crypto'

import { SluiceError } from '@sluice/schema/errors'
import { DOMParser } from '@xmldom/xmldom'

import { isWebAddress } from './oidc.ts'
import type { SamlProvider } from './sso-connection.entity.ts'

/** Metadata of one identity provider has some kilobytes; that of a federation has megabytes, and is not for us. */
export const metadataBytesMax = 512 * 1024

const metadataSpace = 'urn:oasis:names:tc:SAML:2.0:metadata'
const signatureSpace = 'http://www.w3.org/2000/09/xmldsig#'
const protocol = 'urn:oasis:names:tc:SAML:2.0:protocol'
const redirectBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
const certificatesMax = 10
const issuerCharactersMax = 1_024

/** Reads the metadata of a SAML identity provider. Throws SLUICE_SSO_METADATA_INVALID. */
export function parseSamlMetadata(text: string): SamlProvider {
  if (Buffer.byteLength(text) > metadataBytesMax) {
    throw invalid(`it is larger than ${metadataBytesMax} bytes`)
  }
  const entity = entityOf(parseXml(text))
  const issuer = entity.getAttribute('entityID')?.trim() ?? ''
  if (issuer === '' || issuer.length > issuerCharactersMax) throw invalid('it names no entity id')
  const provider = childrenOf(entity, metadataSpace, 'IDPSSODescriptor').find((one) =>
    one.getAttribute('protocolSupportEnumeration')?.split(/\s+/).includes(protocol),
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
  }
}

function entityOf(document: Document): Element {
  const root = document.documentElement
  if (!root || root.namespaceURI !== metadataSpace) throw invalid('it is not SAML metadata')
  if (root.localName === 'EntityDescriptor') return root
  const providers = childrenOf(root, metadataSpace, 'EntityDescriptor').filter(
    (one) => childrenOf(one, metadataSpace, 'IDPSSODescriptor').length > 0,
  )
  const [only] = providers
  if (!only || providers.length > 1) {
    throw invalid('it holds several identity providers, or none: give that of yours alone')
  }
  return only
}

/** Parses XML that a tenant gave: no document types, so no entities. */
function parseXml(text: string): Document {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw invalid('it has a document type')
  const problems: string[] = []
  const note = (problem: string) => void problems.push(problem)
  const parser = new DOMParser({ errorHandler: { warning: note, error: note, fatalError: note } })
  try {
    const document = parser.parseFromString(text.replace(/^\uFEFF/, '').trim(), 'text/xml')
    if (problems.length === 0) return document
  } catch (error) {
    throw invalid('it is not XML', error)
  }
  throw invalid('it is not XML')
}

function locationOf(provider: Element, name: string): string | null {
  const service = childrenOf(provider, metadataSpace, name).find(
    (one) => one.getAttribute('Binding') === redirectBinding,
  )
  const location = service?.getAttribute('Location') ?? ''
  return isWebAddress(location) ? location : null
}

function certificatesOf(provider: Element): string[] {
  const keys = childrenOf(provider, metadataSpace, 'KeyDescriptor').filter(
    (one) => (one.getAttribute('use') || 'signing') === 'signing',
  )
  const texts = keys.flatMap((key) =>
    Array.from(
      key.getElementsByTagNameNS(signatureSpace, 'X509Certificate'),
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

function childrenOf(parent: Element, space: string, name: string): Element[] {
  return Array.from(parent.childNodes).filter(
    (node): node is Element =>
      node.nodeType === 1 &&
      (node as Element).namespaceURI === space &&
      (node as Element).localName === name,
  )
}

function invalid(reason: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE_SSO_METADATA_INVALID', { reason }, { cause })
}
