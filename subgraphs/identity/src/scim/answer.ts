import type { Log } from '@sluice/kit/log'
import { SluiceError } from '@sluice/schema/errors'

import type { Deps } from '../context.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { resourceTypes, schemas, serviceProviderConfig } from './discovery.ts'
import { etagsOf, type Etags } from './etag.ts'
import { readGroupPatch } from './group-members.ts'
import { listAnswer, queryOf, searchOf, type Query } from './list.ts'
import { applyOperation, readOperations } from './patch.ts'
import { listUsers, readUser, type Answered } from './read-users.ts'
import { objectOf, readResource, type Data } from './resource.ts'
import { noteCall, type Call } from './scim-call.ts'
import { ScimError, scimErrorOf, scimProblem } from './scim-error.ts'
import {
  assertNamed,
  changeGroup,
  createGroup,
  deleteGroup,
  groupOf,
  listGroups,
  readGroup,
} from './scim-group.ts'
import { authenticateCall } from './scim-token.ts'
import { changeUser, createUser, deleteUser } from './scim-user.ts'

/** A call as HTTP brings it. */
export interface ScimRequest {
  readonly method: string
  /** Below the base: `/Users/…`. */
  readonly path: string
  readonly query: URLSearchParams
  header(name: string): string | null
  readonly body: Buffer
  readonly ip: string
}

export interface ScimAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Data | null
}

/** Answers the calls of identity providers (RFC 7644). Failures that nobody expects are thrown. */
export async function answerScim(
  deps: Deps,
  log: Log,
  baseUrl: string,
  request: ScimRequest,
): Promise<ScimAnswer> {
  let call: Call | null = null
  let answer: ScimAnswer
  try {
    call = await authenticateCall(deps, request.header('authorization'), request.ip, baseUrl)
    await deps.attempts.count(attemptLimits.scimByOrganization, call.organizationId)
    answer = await route(call, request)
  } catch (error) {
    answer = refusalOf(error)
  }
  if (call) {
    const { method, path, query } = request
    const detail = (answer.body?.['detail'] ?? null) as string | null
    const asked =
      query.size === 0
        ? path
        : `${path}?${decodeURIComponent(query.toString().replaceAll('+', ' '))}`
    await noteCall(call, { method, path: asked, status: answer.status, detail }, log)
  }
  return answer
}

/** What is neither SCIM's nor the catalogue's is the shell's to answer and to log. */
export function refusalOf(error: unknown): ScimAnswer {
  const refused = error instanceof SluiceError ? scimErrorOf(error) : error
  if (!(refused instanceof ScimError)) throw error
  return {
    status: refused.status,
    headers: { ...type, ...refused.headers },
    body: scimProblem(refused),
  }
}

const type = { 'content-type': 'application/scim+json' }

async function route(call: Call, request: ScimRequest): Promise<ScimAnswer> {
  const [, resource = '', id = '', ...more] = request.path.split('/')
  if (more.length > 0) throw notFound()
  switch (resource) {
    case 'Users':
      return answerResource(call, request, id, users)
    case 'Groups':
      return answerResource(call, request, id, groups)
    case 'ServiceProviderConfig':
      return ok(found(request, id === '' ? serviceProviderConfig(call.baseUrl) : null))
    case 'ResourceTypes':
      return ok(oneOrAll(request, id, resourceTypes(call.baseUrl)))
    case 'Schemas':
      return ok(oneOrAll(request, id, schemas(call.baseUrl)))
    case 'Bulk':
      throw new ScimError(501, 'Bulk is not supported: send one request for each resource.')
    case 'Me':
      throw new ScimError(501, 'A SCIM token is of no person, so there is no /Me.')
    default:
      throw notFound()
  }
}

/** What the two kinds of resources can do. */
interface Endpoint {
  readonly name: string
  list(call: Call, query: Query): Promise<Data>
  read(call: Call, id: string, wanted: Query['wanted']): Promise<Answered>
  create(call: Call, body: unknown): Promise<string>
  replace(call: Call, id: string, etags: Etags, body: unknown): Promise<void>
  patch(call: Call, id: string, etags: Etags, body: unknown): Promise<void>
  remove(call: Call, id: string, etags: Etags): Promise<void>
}

const users: Endpoint = {
  name: 'Users',
  list: listUsers,
  read: readUser,
  create: (call, body) => createUser(call, readResource('User', body)),
  async replace(call, id, etags, body) {
    const resource = readResource('User', body)
    await changeUser(call, id, etags, () => resource)
  },
  async patch(call, id, etags, body) {
    const operations = readOperations(body)
    await changeUser(call, id, etags, (resource) => {
      for (const operation of operations) applyOperation('User', resource, operation)
      return resource
    })
  },
  remove: deleteUser,
}

const groups: Endpoint = {
  name: 'Groups',
  list: listGroups,
  read: readGroup,
  create: (call, body) => createGroup(call, groupOf(body)),
  async replace(call, id, etags, body) {
    const group = groupOf(body)
    await changeGroup(call, id, etags, () => group)
  },
  async patch(call, id, etags, body) {
    const operations = readOperations(body)
    await changeGroup(call, id, etags, ({ displayName, externalId }) => {
      const { texts, members } = readGroupPatch({ displayName, externalId }, operations)
      return { ...assertNamed(texts), members }
    })
  },
  remove: deleteGroup,
}

async function answerResource(
  call: Call,
  request: ScimRequest,
  id: string,
  endpoint: Endpoint,
): Promise<ScimAnswer> {
  const { method } = request
  const query = queryOf(request.query)
  const etags = etagsOf(request.header('if-match'), request.header('if-none-match'))
  if (id === '') {
    if (method === 'GET') return ok(await endpoint.list(call, query))
    if (method !== 'POST') throw notAllowed('GET, POST')
    const made = await endpoint.create(call, jsonOf(request.body))
    const { resource, etag } = await endpoint.read(call, made, query.wanted)
    const location = `${call.baseUrl}/${endpoint.name}/${made}`
    return { status: 201, headers: { ...type, etag, location }, body: resource }
  }
  if (id === '.search') {
    if (method !== 'POST') throw notAllowed('POST')
    return ok(await endpoint.list(call, searchOf(objectOf(jsonOf(request.body)))))
  }
  if (method === 'DELETE') {
    await endpoint.remove(call, id, etags)
    return { status: 204, headers: {}, body: null }
  }
  if (method === 'PUT') await endpoint.replace(call, id, etags, jsonOf(request.body))
  else if (method === 'PATCH') await endpoint.patch(call, id, etags, jsonOf(request.body))
  else if (method !== 'GET') throw notAllowed('GET, PUT, PATCH, DELETE')
  const { resource, etag } = await endpoint.read(call, id, query.wanted)
  if (method === 'GET' && etags.isKnown(etag)) return { status: 304, headers: { etag }, body: null }
  return { status: 200, headers: { ...type, etag }, body: resource }
}

function ok(body: Data): ScimAnswer {
  return { status: 200, headers: type, body }
}

function oneOrAll(request: ScimRequest, id: string, all: Data[]): Data {
  if (id === '') return found(request, listAnswer(all, all.length, queryOf(new URLSearchParams())))
  return found(request, all.find((one) => one['id'] === id) ?? null)
}

function found({ method }: ScimRequest, answer: Data | null): Data {
  if (method !== 'GET') throw notAllowed('GET')
  if (!answer) throw notFound()
  return answer
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new ScimError(400, 'The body is not JSON.', 'invalidSyntax')
  }
}

function notFound(): ScimError {
  return new ScimError(404, 'There is nothing at this address.')
}

function notAllowed(allow: string): ScimError {
  return new ScimError(405, `Only ${allow} are answered here.`, null, { allow })
}
