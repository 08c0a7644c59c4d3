import { errorResponse, takesHtml } from '../edge/error-response.ts'

/** For somebody who speaks HTTP to the TLS port. A browser shows the page. */
export function notTlsAnswer(first: Buffer): Buffer {
  const accept = /\r\naccept:([^\r]*)/i.exec(first.toString('latin1'))?.[1] ?? ''
  return errorResponse({
    code: 'SLUICE_TLS_EXPECTED',
    details: {},
    html: takesHtml(accept),
    toHead: first.toString('latin1', 0, 5) === 'HEAD ',
    connection: 'close',
  })
}
