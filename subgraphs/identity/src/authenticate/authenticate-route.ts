import type { IncomingMessage, ServerResponse } from 'node:http'

import { internalHeader, type InternalVerifier } from '@sluice/kit/internal-token'
import { sendProblem } from '@sluice/kit/subgraph'
import { SluiceError } from '@sluice/schema/errors'

import type { Deps } from '../context.ts'
import { authenticate, AuthenticateRequest } from './authenticate.ts'

const authenticatePath = '/internal/authenticate'
const bodyBytesMax = 16 * 1024

/** `POST /internal/authenticate`: the gateway, and nobody else, asks who holds a credential. */
export function createAuthenticateRoute(deps: Deps, verify: InternalVerifier) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    if (request.url !== authenticatePath) return false
    if (request.method !== 'POST') {
      response.writeHead(405, { allow: 'POST' }).end()
      return true
    }
    try {
      const header = request.headers[internalHeader]
      const { kind } = await verify(typeof header === 'string' ? header : null)
      // A signed header of a person would let them try credentials as the gateway.
      if (kind !== 'gateway') throw new SluiceError('SLUICE_UNAUTHENTICATED')
      const asked = parseBody(await readBody(request))
      const body = JSON.stringify(await authenticate(deps, asked))
      response
        .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
        .end(body)
    } catch (error) {
      // What is unexpected is the shell's to answer and to log.
      if (!(error instanceof SluiceError)) throw error
      sendProblem(response, error)
    }
    return true
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) {
      throw new SluiceError('SLUICE_INPUT_INVALID', { reason: 'the body is too large' })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parseBody(text: string): AuthenticateRequest {
  try {
    return AuthenticateRequest.parse(JSON.parse(text))
  } catch (error) {
    const reason = 'the body is not a credential'
    throw new SluiceError('SLUICE_INPUT_INVALID', { reason }, { cause: error })
  }
}
