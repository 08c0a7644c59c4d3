import { createTransport } from 'nodemailer'

const connectTimeoutMs = 10_000
const answerTimeoutMs = 20_000
/** How long a whole attempt may take: less than the lease of a mail. */
export const attemptTimeoutMs = 60_000

interface OutgoingMail {
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
}

export interface MailTransport {
  /** Resolves when the mail server has taken the mail. */
  send(mail: OutgoingMail): Promise<void>
  close(): void
}

/** A mail that can never be delivered: trying again helps nobody. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused'
}

/** Sends through an SMTP server: `smtp://user:password@host:587` (STARTTLS where offered) or `smtps://…`. */
export function openMailTransport(smtpUrl: string, from: string): MailTransport {
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: answerTimeoutMs,
    socketTimeout: answerTimeoutMs,
    // A text is never a file or an address of the server to read from.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const domain = /@([^>\s]+)>?\s*$/.exec(from)?.[1] ?? 'localhost'
  return {
    async send({ id, to, subject, text }) {
      try {
        await transport.sendMail({
          from,
          // As one address, not as a text to be parsed into several.
          to: { name: '', address: to },
          subject,
          text,
          // The same at every attempt, so that a mail that came twice is seen as one.
          messageId: `<${id}@${domain}>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
        })
      } catch (error) {
        if (isRefusal(error)) throw new MailRefused(messageOf(error), { cause: error })
        throw error
      }
    },
    close: () => transport.close(),
  }
}

/** 550 to 559 tell of the mailbox (RFC 5321 §4.2.3), other failures of the server or of us. */
function isRefusal(error: unknown): boolean {
  const code = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : 0
  return code >= 550 && code <= 559
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
