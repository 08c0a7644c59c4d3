import type { MailKind } from './mail.entity.ts'

export interface MailText {
  readonly subject: string
  readonly text: string
}

/** An organization that invites. Both are forms that hold no sentence. */
export interface Inviting {
  readonly slug: string
  /** The address of whoever invited, once it is confirmed. */
  readonly inviterEmail: string | null
}

interface Facts {
  readonly inviting?: Inviting
  /** The name in addresses of the organization that it is about. */
  readonly slug?: string | undefined
  /** Where the link leads; null for a notice. */
  readonly link: string | null
  readonly consoleOrigin: string
  readonly address: string
  readonly ip: string
  readonly at: Date
}

/**
 * The words of each mail. No text that somebody typed is in them: who signs up with a stranger's address could
 * otherwise write to that stranger through us.
 */
const words: Record<MailKind, (facts: Facts) => { subject: string; lines: string[] }> = {
  'verify-email': ({ link, consoleOrigin }) => ({
    subject: 'Confirm your email address',
    lines: [
      `This address was given for an account at ${consoleOrigin}. To confirm that it is yours, open:`,
      String(link),
      'The link is good once, for 24 hours. If you did not sign up, do nothing.',
    ],
  }),
  'change-email': ({ link, consoleOrigin }) => ({
    subject: 'Confirm your new email address',
    lines: [
      `An account at ${consoleOrigin} wants to use this address. To confirm that it is yours, open:`,
      String(link),
      'The link is good once, for 24 hours. If this is not about you, do nothing.',
    ],
  }),
  'email-change-asked': ({ consoleOrigin, ...facts }) => ({
    subject: 'A new email address was asked for',
    lines: [
      `Somebody who is signed in to your account at ${consoleOrigin} asked to change its email address${cameFrom(facts)}.`,
      'Nothing has changed yet: the new address has to be confirmed first.',
      'If it was not you, sign in, change your password and end the other sign-ins.',
    ],
  }),
  'email-changed': ({ consoleOrigin, ...facts }) => ({
    subject: 'Your email address was changed',
    lines: [
      `Your account at ${consoleOrigin} has another email address from now on${cameFrom(facts)}. Mail goes there.`,
      'If it was not you, tell the operator of this server at once.',
    ],
  }),
  'reset-password': ({ link, consoleOrigin, ...facts }) => ({
    subject: 'Set a new password',
    lines: [
      `Somebody asked for a new password for your account at ${consoleOrigin}${cameFrom(facts)}. To choose one, open:`,
      String(link),
      'The link is good once, for 30 minutes. If it was not you, do nothing: your password stays as it is.',
    ],
  }),
  'password-changed': ({ consoleOrigin, ...facts }) => ({
    subject: 'Your password was changed',
    lines: [
      `The password of your account at ${consoleOrigin} was changed${cameFrom(facts)}, and other sign-ins were ended.`,
      `If it was not you, set a new one now: ${consoleOrigin}/forgot-password`,
    ],
  }),
  'second-factor-on': ({ consoleOrigin, ...facts }) => ({
    subject: 'Your second factor is on',
    lines: [
      `Signing in to your account at ${consoleOrigin} needs a code of your authenticator app from now on${cameFrom(facts)}.`,
      'Keep the recovery codes where you find them without your phone.',
    ],
  }),
  'second-factor-off': ({ consoleOrigin, ...facts }) => ({
    subject: 'Your second factor is off',
    lines: [
      `Signing in to your account at ${consoleOrigin} needs the password alone from now on${cameFrom(facts)}.`,
      `If it was not you, set a new password now: ${consoleOrigin}/forgot-password`,
    ],
  }),
  invitation: ({ link, consoleOrigin, inviting }) => ({
    subject: 'You are invited to an organization',
    lines: [
      `${inviting?.inviterEmail ?? 'Somebody'} invites you to the organization “${inviting?.slug ?? ''}” at ${consoleOrigin}. To look at the invitation, open:`,
      String(link),
      'The link is good once, and for this address only. If you do not know what this is about, do nothing.',
    ],
  }),
  'recovery-code-used': ({ consoleOrigin, ...facts }) => ({
    subject: 'A recovery code was used',
    lines: [
      `A recovery code of your account at ${consoleOrigin} was used in place of your authenticator app${cameFrom(facts)}.`,
      `If it was not you, set a new password now: ${consoleOrigin}/forgot-password`,
    ],
  }),
  'social-linked': ({ consoleOrigin, ...facts }) => ({
    subject: 'Another account can sign you in',
    lines: [
      `An account at Google or GitHub can sign in to your account at ${consoleOrigin} from now on${cameFrom(facts)}.`,
      `If it was not you, set a new password, then remove it under Security: ${consoleOrigin}/forgot-password`,
    ],
  }),
  'social-unlinked': ({ consoleOrigin, ...facts }) => ({
    subject: 'Another account can no longer sign you in',
    lines: [
      `An account at Google or GitHub can no longer sign in to your account at ${consoleOrigin}${cameFrom(facts)}.`,
      `If it was not you, set a new password now: ${consoleOrigin}/forgot-password`,
    ],
  }),
  'passkey-added': ({ consoleOrigin, ...facts }) => ({
    subject: 'A passkey was added',
    lines: [
      `A new passkey can sign in to your account at ${consoleOrigin} from now on${cameFrom(facts)}.`,
      `If it was not you, set a new password, then remove it under Security: ${consoleOrigin}/forgot-password`,
    ],
  }),
  'passkey-removed': ({ consoleOrigin, ...facts }) => ({
    subject: 'A passkey was removed',
    lines: [
      `A passkey can no longer sign in to your account at ${consoleOrigin}${cameFrom(facts)}.`,
      `If it was not you, set a new password now: ${consoleOrigin}/forgot-password`,
    ],
  }),
  'account-deleted': ({ consoleOrigin, ...facts }) => ({
    subject: 'Your account is deleted',
    lines: [
      `Your account at ${consoleOrigin} was deleted, with the organizations that you alone were in${cameFrom(facts)}.`,
      'If it was not you, tell the operator of this server at once.',
    ],
  }),
  'security-anomaly': ({ consoleOrigin, ...facts }) => ({
    subject: 'Something that looks like an attack',
    lines: [
      `Sluice has seen something in your organization at ${consoleOrigin} that may be an attack${cameFrom(facts)}.`,
      `Look at it in the console, under Anomalies: ${consoleOrigin}`,
      'If it was none of you, end the sign-ins and revoke the credentials that it names.',
    ],
  }),
  'user-suspended': ({ consoleOrigin }) => ({
    subject: 'Your account was suspended',
    lines: [
      `The operator of ${consoleOrigin} has suspended your account. You cannot sign in, and your agents cannot connect.`,
      'When you try to sign in, you are told the reason. To have it looked at again, answer the operator.',
    ],
  }),
  'organization-suspended': ({ consoleOrigin, ...facts }) => ({
    subject: 'Your organization was suspended',
    lines: [
      `The operator of ${consoleOrigin} has suspended an organization that you own${named(facts)}. Its tunnels are closed, its webhooks wait, and nothing of it can be changed.`,
      `The reason is shown in the console: ${pageOf(consoleOrigin, facts, '')}`,
    ],
  }),
  'webhook-disabled': ({ consoleOrigin, ...facts }) => ({
    subject: 'A webhook endpoint was switched off',
    lines: [
      `An endpoint of your organization${named(facts)} was switched off: it answered 410 Gone, or has taken nothing for 5 days${cameFrom(facts)}. Nothing is sent to it any more.`,
      `Which one it is, and what it answered, stands here: ${pageOf(consoleOrigin, facts, '/webhooks')}`,
      'Once it works again, switch it on there, and send again what it has missed. What was sent is kept for 14 days.',
    ],
  }),
  'email-domain-missing': ({ consoleOrigin, ...facts }) => ({
    subject: 'The TXT record of an email domain is missing',
    lines: [
      `DNS no longer has the TXT record that proves an email domain of your organization${named(facts)}${cameFrom(facts)}.`,
      'Nothing has changed yet. If the record stays away for 7 days, nobody new comes in by that domain any more, and its addresses are not led to your identity provider.',
      `Which one it is, and what the record must hold, stands here: ${pageOf(consoleOrigin, facts, '/sso')}`,
    ],
  }),
  'email-domain-lost': ({ consoleOrigin, ...facts }) => ({
    subject: 'An email domain is no longer verified',
    lines: [
      `An email domain of your organization${named(facts)} is no longer verified${cameFrom(facts)}: its TXT record was missing for 7 days, or another organization has proven that the domain is theirs.`,
      'Nobody new comes in by it, and its addresses are not led to your identity provider. Members stay members.',
      `To have it again, set the record and check it here: ${pageOf(consoleOrigin, facts, '/sso')}`,
    ],
  }),
  'authtoken-reported': ({ consoleOrigin, ...facts }) => ({
    subject: 'One of your authtokens was revoked',
    lines: [
      `Somebody showed ${consoleOrigin} an authtoken of yours, which had leaked or was no longer wanted${cameFrom(facts)}. It is void.`,
      `Which one it was stands under Authtokens, where you can make another: ${consoleOrigin}`,
    ],
  }),
  'api-key-reported': ({ consoleOrigin, ...facts }) => ({
    subject: 'One of your API keys was revoked',
    lines: [
      `Somebody showed ${consoleOrigin} an API key of yours, which had leaked or was no longer wanted${cameFrom(facts)}. It is void.`,
      `Which one it was stands under API keys, where you can make another: ${consoleOrigin}`,
    ],
  }),
  'authtoken-expires': ({ consoleOrigin }) => ({
    subject: 'One of your authtokens expires soon',
    lines: [
      `An authtoken of yours at ${consoleOrigin} is good for a week at most from now on. What uses it stops then.`,
      `Put another in its place under Authtokens: ${consoleOrigin}`,
    ],
  }),
}

export function composeMail(kind: MailKind, facts: Facts): MailText {
  const { subject, lines } = words[kind](facts)
  return { subject: `${subject} – Sluice`, text: `${lines.join('\n\n')}\n` }
}

/** A slug holds no sentence. */
function named({ slug }: Pick<Facts, 'slug'>): string {
  return slug === undefined ? '' : ` (“${slug}”)`
}

function pageOf(consoleOrigin: string, { slug }: Pick<Facts, 'slug'>, path: string): string {
  return slug === undefined ? consoleOrigin : `${consoleOrigin}/o/${slug}${path}`
}

function cameFrom({ ip, at }: Pick<Facts, 'ip' | 'at'>): string {
  const time = `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`
  return ip ? ` (from ${ip}, ${time})` : ` (${time})`
}
