import { ada, ago, failure } from './data.ts'
import type { Platform } from './world.ts'

type Provider = 'GOOGLE' | 'GITHUB'

/** How Ada can sign in beside her password. */
export interface WaysIn {
  hasPassword: boolean
  /** Those that the server has set up. */
  providers: Provider[]
  links: {
    id: string
    provider: Provider
    email: string
    linkedAt: string
    lastUsedAt: string | null
  }[]
  /** `credentialId` is what the browser’s authenticator called it. */
  passkeys: {
    id: string
    name: string
    isBackedUp: boolean
    createdAt: string
    lastUsedAt: string | null
    credentialId: string
  }[]
}

export function waysIn(): WaysIn {
  return { hasPassword: true, providers: [], links: [], passkeys: [] }
}

const challenge = 'Y2hhbGxlbmdlIG9mIHRoZSBmaXh0dXJl'

/** What the graph answers about them. Signatures are not looked at: identity’s own tests do. */
export function waysInRootOf(world: Platform, grant: () => object) {
  const { ways } = world
  const prove = () => {
    if (!world.isProved) throw failure('SLUICE_REAUTHENTICATION_NEEDED')
  }
  const known = (response: string) => {
    const { id } = JSON.parse(response) as { id: string }
    const found = ways.passkeys.find(({ credentialId }) => credentialId === id)
    if (!found) throw failure('SLUICE_PASSKEY_REFUSED')
    found.lastUsedAt = ago(0)
  }
  const options = JSON.stringify({
    challenge,
    rpId: 'localhost',
    userVerification: 'required',
    allowCredentials: [],
  })
  return {
    hasPassword: () => ways.hasPassword,
    socialProviders: () => ways.providers,
    socialLinks: () => ways.links,
    passkeys: () => ways.passkeys,
    // In place of the provider: it sends the browser back to where a second factor is asked for.
    startSocialSignIn: ({ returnTo }: { returnTo: string }) =>
      `/sign-in/code?to=${encodeURIComponent(returnTo)}#good-ticket`,
    finishSignIn: ({ ticket, code }: { ticket: string; code: string }) => {
      if (ticket !== 'good-ticket') throw failure('SLUICE_TICKET_INVALID')
      if (code !== '123456') throw failure('SLUICE_CODE_WRONG')
      return grant()
    },
    startSocialLink: ({ returnTo }: { returnTo: string }) => {
      prove()
      return `${returnTo}?problem=SLUICE_SOCIAL_TAKEN`
    },
    startSocialProof: ({ returnTo }: { returnTo: string }) => {
      world.isProved = true
      return returnTo
    },
    unlinkSocial: ({ id }: { id: string }) => {
      ways.links = ways.links.filter((one) => one.id !== id)
      return id
    },
    startPasskey: () => {
      prove()
      return JSON.stringify({
        challenge,
        rp: { id: 'localhost', name: 'Sluice' },
        user: { id: 'dTE', name: ada.email, displayName: ada.name },
        pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      })
    },
    addPasskey: ({ name, response }: { name: string; response: string }) => {
      const { id: credentialId } = JSON.parse(response) as { id: string }
      const row = { name, isBackedUp: false, createdAt: ago(0), lastUsedAt: null, credentialId }
      const added = { id: `p${ways.passkeys.length + 1}`, ...row }
      ways.passkeys.push(added)
      return added
    },
    renamePasskey: ({ id, name }: { id: string; name: string }) =>
      Object.assign(ways.passkeys.find((one) => one.id === id) ?? {}, { name }),
    removePasskey: ({ id }: { id: string }) => {
      ways.passkeys = ways.passkeys.filter((one) => one.id !== id)
      return id
    },
    deleteAccount: ({ email }: { email: string }) => {
      prove()
      if (email !== ada.email) {
        throw failure('SLUICE_ACCOUNT_OWNS', { organizations: 'Acme' })
      }
      world.isSignedIn = false
      return true
    },
    startPasskeySignIn: () => options,
    signInWithPasskey: ({ response }: { response: string }) => {
      known(response)
      return grant()
    },
    startPasskeyProof: () => options,
    reauthenticateWithPasskey: ({ response }: { response: string }) => {
      known(response)
      world.isProved = true
      return true
    },
  }
}
