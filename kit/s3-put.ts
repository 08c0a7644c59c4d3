import { createHash } from 'node:crypto'

import { AwsV4Signer } from 'aws4fetch'

/** The headers that put an object into a bucket of somebody else (Signature Version 4), for whoever sends the request themselves. */
export async function signedPutHeaders(put: {
  /** Of the object: endpoint, bucket and key. */
  url: string
  body: string
  contentType: string
  region: string
  accessKeyId: string
  secretAccessKey: string
  now: Date
}): Promise<Record<string, string>> {
  const { url, body, contentType, now, ...credentials } = put
  const signer = new AwsV4Signer({
    ...credentials,
    method: 'PUT',
    url,
    headers: {
      'content-type': contentType,
      // Signed with the rest: what is stored is what was sent.
      'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
    },
    body,
    service: 's3',
    datetime: now.toISOString().replaceAll(/[:-]|\.\d{3}/g, ''),
  })
  const { headers } = await signer.sign()
  return Object.fromEntries(headers)
}
