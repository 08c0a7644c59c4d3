import { Constants, IdentityProvider, SamlLib, ServiceProvider, setSchemaValidator } from 'samlify'
import { expect, test } from 'vitest'

import { parseSamlMetadata } from './saml-metadata.ts'
import { checkSamlAnswer, samlMetadata, samlSignInUrl, samlSignOutUrl } from './saml.ts'
import {
  addresses,
  connectionId,
  ourKeys,
  provider,
  requestId,
  stranger,
} from './testing-forgeries.ts'

/* The other side is a library that others use, too: what we write it reads, and what it writes we read. */
setSchemaValidator({ validate: async () => 'well-formed is enough' })
const [ours] = ourKeys
const privateKeys = [ours.privateKey]
const { binding, format } = Constants.namespace

/** The library looks at one certificate for signing: that of the key which signs now. */
function openLibrary(strict: boolean, { certificate } = ours) {
  const idp = IdentityProvider({
    entityID: 'https://samlify.example.test/metadata',
    signingCert: provider.keys.certificate,
    privateKey: provider.keys.privateKey,
    wantAuthnRequestsSigned: strict,
    wantLogoutRequestSigned: strict,
    isAssertionEncrypted: strict,
    nameIDFormat: [format.persistent],
    singleSignOnService: [
      { Binding: binding.redirect, Location: 'https://samlify.example.test/sso?tenant=a%20b' },
    ],
    singleLogoutService: [
      { Binding: binding.redirect, Location: 'https://samlify.example.test/logout' },
    ],
    loginResponseTemplate: {
      context: SamlLib.defaultLoginResponseTemplate.context.replace(
        '{AuthnStatement}',
        '<saml:AuthnStatement AuthnInstant="{IssueInstant}" SessionIndex="s"/>',
      ),
      attributes: [
        {
          name: 'email',
          valueTag: 'user.email',
          nameFormat: 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic',
          valueXsiType: 'xs:string',
        },
      ],
    },
  })
  const metadata = samlMetadata(addresses, {
    certificates: [certificate],
    signsRequests: strict,
  })
  return { idp, sp: ServiceProvider({ metadata }), saml: parseSamlMetadata(idp.getMetadata()) }
}

/** An address as the library wants it: the parameters, and the bytes that were signed (SAML bindings §3.4.4.1). */
function arrived(address: string) {
  const query = Object.fromEntries(new URL(address).searchParams)
  const signed = ['SAMLRequest', 'RelayState', 'SigAlg'].flatMap((name) => {
    const found = new RegExp(`[?&](${name}=[^&]*)`).exec(address)?.[1]
    return found === undefined ? [] : [found]
  })
  return { query, octetString: signed.join('&') }
}

test.for([false, true])(
  'a library reads our request, and we read its answer; signed and encrypted: %s',
  async (strict) => {
    const { idp, sp, saml } = openLibrary(strict)
    const signingKey = strict ? ours.privateKey : null
    const request = { requestId, state: 'the-state', signingKey }
    const url = await samlSignInUrl(saml, addresses, request)

    expect(saml.wantsSignedRequests).toBe(strict ? true : undefined)
    const { extract } = await idp.parseLoginRequest(sp, 'redirect', arrived(url))
    expect(extract['request']?.id).toBe(requestId)
    expect(new URL(url).searchParams.get('RelayState')).toBe('the-state')
    expect(new URL(url).searchParams.has('Signature')).toBe(strict)

    const at = (ms: number) => new Date(Date.now() + ms).toISOString()
    const options = {
      customTagReplacement: (template: string) => ({
        id: '_response',
        context: SamlLib.replaceTagsByValue(template, {
          ID: '_response',
          AssertionID: '_assertion',
          Destination: addresses.acsUrl,
          Audience: addresses.entityId,
          SubjectRecipient: addresses.acsUrl,
          NameIDFormat: format.persistent,
          NameID: 'grace',
          Issuer: saml.issuer,
          IssueInstant: at(0),
          ConditionsNotBefore: at(-1_000),
          ConditionsNotOnOrAfter: at(120_000),
          SubjectConfirmationDataNotOnOrAfter: at(120_000),
          InResponseTo: requestId,
          StatusCode: Constants.StatusCode.Success,
          attrUserEmail: 'grace@acme.example.test',
        }),
      }),
    }
    const { context } = await idp.createLoginResponse(sp, { extract }, 'post', {}, options)
    const isReadable = Buffer.from(context, 'base64').toString().includes('grace@acme')
    expect(isReadable).toBe(!strict)
    const { person } = await checkSamlAnswer(context, {
      connectionId,
      provider: saml,
      addresses,
      requestId,
      roleAttribute: null,
      privateKeys,
      now: new Date(),
    })
    expect(person).toMatchObject({ subject: 'grace', email: 'grace@acme.example.test' })
  },
)

test('a library that wants requests signed takes ours, of no other key and unchanged', async () => {
  const { idp, sp, saml } = openLibrary(true)
  const urlOf = (signingKey: string | null) =>
    samlSignInUrl(saml, addresses, { requestId, state: 'the-state', signingKey })
  const read = (url: string) => idp.parseLoginRequest(sp, 'redirect', arrived(url))
  const good = await urlOf(ours.privateKey)

  await expect(read(good)).resolves.toBeDefined()
  await expect(read(await urlOf(stranger.privateKey))).rejects.toBeDefined()
  await expect(read(await urlOf(null))).rejects.toBeDefined()
  await expect(read(good.replace('the-state', 'another-state'))).rejects.toBeDefined()
})

test('requests to sign out are signed', async () => {
  const { idp, sp, saml } = openLibrary(true)
  const session = { nameId: 'grace', nameIdFormat: format.persistent, sessionIndex: 's' }
  const urlOf = (key: string) => samlSignOutUrl(saml, addresses, session, key)
  const read = async (url: string | null) =>
    idp.parseLogoutRequest(sp, 'redirect', arrived(url ?? ''))

  const { extract } = await read(await urlOf(ours.privateKey))

  expect(extract).toMatchObject({ nameID: 'grace' })
  await expect(read(await urlOf(stranger.privateKey))).rejects.toBeDefined()
})
