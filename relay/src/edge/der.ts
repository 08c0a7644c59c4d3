/** The little DER (X.690) that certificates and revocation lists need. */
export function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

export const sequence = (...parts: Buffer[]): Buffer => der(0x30, Buffer.concat(parts))
const set = (...parts: Buffer[]): Buffer => der(0x31, Buffer.concat(parts))
export const oid = (...bytes: number[]): Buffer => der(0x06, Buffer.from(bytes))
export const bitString = (content: Buffer): Buffer =>
  der(0x03, Buffer.concat([Buffer.from([0]), content]))

/** 1.2.840.10045.4.3.2 */
export const ecdsaWithSha256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))

export function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(0x18, Buffer.from(text))
}

/** A Name (RFC 5280 §4.1.2.4) of nothing but a common name. */
export function commonName(text: string): Buffer {
  return sequence(set(sequence(oid(85, 4, 3), der(0x0c, Buffer.from(text)))))
}

export function pemOf(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
