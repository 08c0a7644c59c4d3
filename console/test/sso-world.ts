import { ago, failure } from './data.ts'

interface Domain {
  id: string
  domain: string
  status: 'PENDING' | 'VERIFIED'
  txtName: string
  txtValue: string
  lastError: string | null
  verifiedAt: string | null
  missingSince: string | null
  provenUntil: string | null
}

/** What the graph says of single sign-on. There is no identity provider: a test of the connection passes at once. */
export interface SsoState {
  connection: Record<string, unknown> | null
  domains: Domain[]
  /** Organizations of Ada that ask for single sign-on first. */
  closed: { id: string; name: string; slug: string }[]
}

export function ssoState(): SsoState {
  return { connection: null, domains: [], closed: [] }
}

export function ssoFieldsOf(sso: SsoState) {
  return { sso: () => sso.connection, emailDomains: () => sso.domains }
}

export function ssoRootOf(sso: SsoState, signOut: () => void) {
  const change = (changed: Record<string, unknown>) => Object.assign(sso.connection ?? {}, changed)
  const domainBy = (id: string) => {
    const found = sso.domains.find((one) => one.id === id)
    if (!found) throw failure('SLUICE_DOMAIN_NOT_FOUND')
    return found
  }
  return {
    viewer: () => ({ isSsoSignIn: false, closedOrganizations: sso.closed }),
    ssoOffer: ({ email, organization }: { email: string | null; organization: string | null }) =>
      email?.endsWith('@acme.example') || organization === 'acme'
        ? { organizationName: 'Acme', startPath: '/sign-in?problem=SLUICE_SSO_DECLINED' }
        : null,
    startSso: () => '/o/initech/tunnels?joined=yes',
    signOutOfSso: () => {
      signOut()
      return null
    },
    createSsoConnection: ({ kind }: { kind: string }) => {
      sso.connection = connectionOf(kind)
      return sso.connection
    },
    configureOidc: ({ input }: { input: { issuer: string; clientId: string } }) => {
      if (input.issuer.includes('wrong')) {
        throw failure('SLUICE_SSO_ISSUER_INVALID', { reason: 'its discovery document is missing' })
      }
      return change({ issuer: input.issuer, clientId: input.clientId })
    },
    configureSaml: ({ input }: { input: { signsRequests: boolean } }) =>
      change({
        signsRequests: input.signsRequests,
        issuer: 'https://idp.example.com/saml',
        metadataUrl: 'https://idp.example.com/metadata',
        signInUrl: 'https://idp.example.com/sso',
        certificates: [{ fingerprint: 'AB:'.repeat(31) + 'AB', expiresAt: ago(-86_400 * 300) }],
      }),
    addSamlKey: () => change({ samlKeys: [keyOf(1, true), keyOf(2, false)] }),
    removeSamlKey: ({ id }: { id: string }) =>
      change({ samlKeys: [keyOf(id === 'key1' ? 2 : 1, true)] }),
    startSsoTest: ({ returnTo }: { returnTo: string }) => {
      const attributes = [{ name: 'groups', values: ['developers', 'everybody'] }]
      const who = { subject: 'ada', email: 'ada@acme.example', name: 'Ada' }
      const isDomainVerified = sso.domains.some(({ status }) => status === 'VERIFIED')
      const would = { role: 'VIEWER', customRole: null, decidedBy: null, isDomainVerified }
      const lastTest = { at: ago(1), problem: null, ...who, ...would, attributes }
      change({ testedAt: ago(1), lastTest })
      return returnTo
    },
    configureSsoRoles: ({ input }: { input: Record<string, unknown> }) => {
      const mappings = input['mappings'] as { value: string; role: string }[]
      const [first] = mappings
      const would = first ? { role: first.role, decidedBy: first.value } : {}
      if (sso.connection?.['lastTest']) Object.assign(sso.connection['lastTest'], would)
      return change({
        admitsNewMembers: input['admitsNewMembers'],
        defaultRole: input['defaultRole'],
        roleAttribute: input['roleAttribute'],
        roleMappings: mappings.map((one) => ({ ...one, customRole: null })),
      })
    },
    setSsoEnforcement: ({ enforcement }: { enforcement: string }) => {
      if (enforcement === 'REQUIRED') throw failure('SLUICE_SSO_NO_OWNER_LEFT')
      return change({ enforcement })
    },
    removeSsoConnection: () => {
      sso.connection = null
      return 'c1'
    },
    addEmailDomain: ({ domain }: { domain: string }) => {
      const added: Domain = {
        id: `d${sso.domains.length + 1}`,
        domain,
        status: 'PENDING',
        txtName: `_sluice-challenge.${domain}`,
        txtValue: 'sluice-verify=0123456789abcdef0123456789abcdef',
        lastError: null,
        verifiedAt: null,
        missingSince: null,
        provenUntil: null,
      }
      sso.domains.push(added)
      return added
    },
    /** The second look finds the record. */
    verifyEmailDomain: ({ id }: { id: string }) => {
      const found = domainBy(id)
      if (found.lastError) Object.assign(found, { status: 'VERIFIED', lastError: null })
      else found.lastError = `there is no TXT record ${found.txtName}`
      return found
    },
    removeEmailDomain: ({ id }: { id: string }) => {
      sso.domains = sso.domains.filter((one) => one.id !== id)
      return id
    },
  }
}

function connectionOf(kind: string) {
  return {
    id: 'c1',
    kind,
    enforcement: 'OFF',
    issuer: null,
    clientId: null,
    metadataUrl: null,
    signInUrl: null,
    certificates: [],
    signsRequests: false,
    wantsSignedRequests: false,
    samlKeys: kind === 'SAML' ? [keyOf(1, true)] : [],
    redirectUri: 'https://console.example.com/auth/sso/callback/c1',
    acsUrl: 'https://console.example.com/auth/saml/acs',
    entityId: 'https://console.example.com/auth/saml/metadata/c1',
    admitsNewMembers: true,
    defaultRole: 'VIEWER',
    defaultCustomRole: null,
    roleAttribute: null,
    roleMappings: [],
    testedAt: null,
    lastTest: null,
  }
}

function keyOf(number: number, isSigning: boolean) {
  return {
    id: `key${number}`,
    certificate: '-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n',
    fingerprint: `${number}A:`.repeat(31) + 'AB',
    isSigning,
    createdAt: ago(3_600),
    expiresAt: ago(-86_400 * 3_650),
  }
}
