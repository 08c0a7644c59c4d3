const redacted = '[redacted]'

/** Names whose values nobody needs to see to understand a request. All repeats are bounded: the text is a stranger's. */
const secretName =
  '[a-z0-9_-]{0,64}(?:password|passwd|pwd|secret|token|api[_-]?key|private[_-]?key|authorization|credential|card[_-]?number|cvv|cvc|ssn|otp|pin)[a-z0-9_-]{0,64}'

const inJson = new RegExp(
  `("${secretName}"\\s*:\\s*)(?:"(?:[^"\\\\]|\\\\.)*("|$)|-?[0-9][0-9.eE+-]*)`,
  'gi',
)
const inForm = new RegExp(`(^|[&;\\n])(${secretName})=[^&;\\r\\n]*`, 'gi')
const inMultipart = new RegExp(
  `(content-disposition:[^\\r\\n]{0,256}\\bname="${secretName}"[^\\r\\n]{0,256}(?:\\r?\\n[^\\r\\n]{1,256}){0,8}\\r?\\n\\r?\\n)[^\\r\\n]*`,
  'gi',
)

const textTypes =
  /^(?:text\/|application\/(?:[a-z0-9.+-]*\+)?(?:json|xml|x-www-form-urlencoded|graphql|javascript|x-ndjson|yaml)|multipart\/form-data)/i

/** Whether a body is text, by its type, or without one by its bytes. */
export function isText(contentType: string, bytes: Buffer): boolean {
  if (contentType !== '') return textTypes.test(contentType)
  // A sequence that was cut at the end is no sign of binary.
  const whole = bytes.subarray(0, Math.max(0, bytes.length - 3)).toString('utf8')
  return !bytes.includes(0) && !whole.includes('\uFFFD')
}

/** Takes the values of fields out whose names say that they are secrets. The shape of the text stays. */
export function redact(text: string, contentType: string): string {
  const type = contentType.toLowerCase()
  if (type.startsWith('multipart/')) return text.replace(inMultipart, `$1${redacted}`)
  if (type.includes('urlencoded')) return text.replace(inForm, `$1$2=${redacted}`)
  return text.replace(inJson, `$1"${redacted}"`)
}
