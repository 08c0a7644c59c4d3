import { DOMParser } from '@xmldom/xmldom'

/** Namespaces of SAML 2.0 and what it is built of. */
export const space = {
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
  encryption: 'http://www.w3.org/2001/04/xmlenc#',
  encryption11: 'http://www.w3.org/2009/xmlenc11#',
} as const

/** The root of a document, or why there is none. */
export function parseXml(text: string): { root: Element } | { problem: string } {
  // Ends at the first problem: going on after each of ten thousand would take seconds.
  const fail = (problem: string) => {
    throw new Error(problem)
  }
  const parser = new DOMParser({ errorHandler: { warning: fail, error: fail, fatalError: fail } })
  try {
    const root = parser.parseFromString(text, 'text/xml')?.documentElement
    return root ? { root } : { problem: 'it is empty' }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'it cannot be parsed' }
  }
}

export function childrenOf(parent: Element, namespace: string, name: string): Element[] {
  return Array.from(parent.childNodes).filter(
    (node): node is Element =>
      node.nodeType === 1 &&
      (node as Element).namespaceURI === namespace &&
      (node as Element).localName === name,
  )
}

export function childOf(parent: Element, namespace: string, name: string): Element | null {
  return childrenOf(parent, namespace, name)[0] ?? null
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
