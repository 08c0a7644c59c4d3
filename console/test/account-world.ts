import { ada, ago, failure, password } from './data.ts'
import type { Platform } from './world.ts'

/** What the account pages change, on the platform in memory. */
export function accountMutationsOf(world: Platform) {
  const { data } = world
  const prove = (given: string) => {
    if (given !== password) throw failure('SLUICE_PASSWORD_WRONG')
    world.isProved = true
    return true
  }
  const consume = (token: string) => {
    if (token !== 'good-token') throw failure('SLUICE_LINK_INVALID')
  }
  return {
    sendEmailVerification: () => true,
    changeEmail: () => {
      if (!world.isProved) throw failure('SLUICE_REAUTHENTICATION_NEEDED')
      return true
    },
    confirmEmail: ({ token }: { token: string }) => {
      consume(token)
      world.emailVerifiedAt = ago(0)
      return ada.email
    },
    requestPasswordReset: () => true,
    resetPassword: ({ token }: { token: string }) => {
      consume(token)
      world.isSignedIn = false
      return true
    },
    changePassword: ({ currentPassword }: { currentPassword: string }) => prove(currentPassword),
    reauthenticate: (given: Omit<Credentials, 'email'>) => {
      passCode(world, given.code)
      return prove(given.password)
    },
    ...secondFactorMutationsOf(world),
    endSignIn: ({ id }: { id: string }) => {
      data.signIns = data.signIns.filter((one) => one.id !== id)
      return id
    },
    endOtherSignIns: () => {
      data.signIns = data.signIns.filter(({ isCurrent }) => isCurrent)
      return 1
    },
    retryMail: ({ id }: { id: string }) => {
      const found = data.mails.find((one) => one.id === id)
      if (!found) throw failure('SLUICE_MAIL_NOT_FOUND')
      return Object.assign(found, { state: 'WAITING' })
    },
  }
}

export interface Credentials {
  readonly email: string
  readonly password: string
  readonly code?: string | null
}

const rightCode = '123456'

export function passCode({ secondFactor }: Platform, code: string | null | undefined): void {
  if (!secondFactor) return
  if (!code) throw failure('SLUICE_CODE_NEEDED')
  if (code !== rightCode) throw failure('SLUICE_CODE_WRONG')
}

function secondFactorMutationsOf(world: Platform) {
  const codes = Array.from({ length: 10 }, (_, index) => `wxyz-2345-abcd-ef0${index}`)
  return {
    startSecondFactor: () => {
      if (!world.isProved) throw failure('SLUICE_REAUTHENTICATION_NEEDED')
      const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
      return { secret, uri: `otpauth://totp/Sluice:ada%40example.com?secret=${secret}` }
    },
    confirmSecondFactor: ({ code }: { code: string }) => {
      if (code !== rightCode) throw failure('SLUICE_CODE_WRONG')
      world.secondFactor = { confirmedAt: ago(0), recoveryCodesLeft: codes.length }
      return codes
    },
    removeSecondFactor: () => {
      world.secondFactor = null
      return true
    },
    renewRecoveryCodes: () => codes,
  }
}
