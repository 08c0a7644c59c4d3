import type { EdgePolicy } from '@sluice/schema/claims'

import { compileAddresses, passesAddress, type AddressRules } from './address.ts'
import { BasicAuth } from './basic-auth.ts'
import { compileHeaderChanges, type HeaderChanges } from './header-changes.ts'

/** An edge policy made ready to be asked for each request. What is absent is not asked for. */
export interface CompiledPolicy {
  readonly basicAuth: BasicAuth | undefined
  readonly addresses: AddressRules | undefined
  readonly requestHeaders: HeaderChanges | undefined
  readonly responseHeaders: HeaderChanges | undefined
  readonly compression: boolean
  readonly webhook: EdgePolicy['webhook']
  readonly interstitial: boolean
}

/** Undefined when there is nothing to check and nothing to change, which costs the hot path one look. */
export function compilePolicy(policy: EdgePolicy): CompiledPolicy | undefined {
  const { basicAuth = [], allowIps, denyIps } = policy
  const compiled: CompiledPolicy = {
    basicAuth: basicAuth.length > 0 ? new BasicAuth(basicAuth) : undefined,
    addresses: compileAddresses(allowIps, denyIps),
    requestHeaders: compileHeaderChanges(policy.requestHeaders),
    responseHeaders: compileHeaderChanges(policy.responseHeaders),
    compression: policy.compression ?? false,
    webhook: policy.webhook,
    interstitial: policy.interstitial ?? false,
  }
  return Object.values(compiled).some(Boolean) ? compiled : undefined
}

/** Whether a socket's address may visit. For raw streams too, before they reach the agent. */
export function allowsAddress(policy: CompiledPolicy | undefined, remoteAddress: string): boolean {
  return !policy?.addresses || passesAddress(policy.addresses, remoteAddress)
}
