interface Requested {
  readonly method: string
  readonly path: string
  readonly endpointHost: string
  readonly requestBytes: number
  readonly requestHeaders: readonly { readonly name: string; readonly value: string }[]
}

/** What curl sets by itself, or the relay. */
const setByOthers =
  /^(host|content-length|connection|transfer-encoding|accept-encoding|x-forwarded-.*)$/i
const redacted = '[redacted]'

/** The request as a line for a shell. What was taken out of its headers is left out, and a body is read from the file `body`. */
export function requestCurlOf(
  { method, path, endpointHost, requestBytes, requestHeaders }: Requested,
  protocol: string,
): string {
  const host = requestHeaders.find(({ name }) => name.toLowerCase() === 'host')?.value
  const headers = requestHeaders.filter(
    ({ name, value }) => !setByOthers.test(name) && !value.includes(redacted),
  )
  return [
    `curl -X ${quoted(method)} ${quoted(`${protocol}//${host ?? endpointHost}${path}`)}`,
    ...headers.map(({ name, value }) => `  -H ${quoted(`${name}: ${value}`)}`),
    ...(requestBytes > 0 ? ['  --data-binary @body'] : []),
  ].join(' \\\n')
}

/** One word of a POSIX shell, whatever a visitor has sent. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
