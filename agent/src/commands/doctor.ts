import { stat } from 'node:fs/promises'

import { SluiceError } from '@sluice/schema/errors'
import { cliOperations } from '@sluice/schema/operations/cli'

import { createApi } from '../api.ts'
import { networkReasonOf, requestText } from '../http-request.ts'
import { shownProblemOf } from '../problem.ts'
import { findProject } from '../project/find-project.ts'
import { readProject } from '../project/read-project.ts'
import type { CommandContext } from './context.ts'

const nodeMajorMin = 20
const answerTimeoutMs = 10_000
const answerBytesMax = 1024 * 1024
/** Agent tokens live five minutes: a clock that is further off than this makes them look expired. */
const clockSkewMsMax = 60_000

type Outcome = 'passed' | 'warning' | 'failed' | 'skipped'

interface Check {
  readonly name: string
  readonly outcome: Outcome
  readonly detail: string
  /** The exact command that helps, or the sentence that says what does. */
  readonly fix?: string
}

/** Looks at all that a tunnel needs, and says for each failure the command that mends it. */
export async function runDoctor(context: CommandContext): Promise<void> {
  const { output } = context
  const checks = [
    checkNode(),
    await checkCredentials(context),
    checkProject(context),
    ...(await checkServer(context)),
  ]
  const count = (outcome: Outcome) => checks.filter((check) => check.outcome === outcome).length
  if (output.json) output.event({ event: 'checked', checks })
  else {
    for (const check of checks) show(check, context)
    const counts = (['passed', 'warning', 'failed', 'skipped'] as const)
      .filter((outcome) => count(outcome) > 0)
      .map((outcome) => `${count(outcome)} ${outcome}`)
    output.result(`${checks.length} checks: ${counts.join(', ')}`)
  }
  if (count('failed') > 0) {
    const names = checks.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name)
    throw new SluiceError('SLUICE_CHECKS_FAILED', { names: names.join(', ') })
  }
}

function show({ name, outcome, detail, fix }: Check, { output }: CommandContext): void {
  const marks = { passed: '✓', warning: '!', failed: '✗', skipped: '-' } as const
  const styles = { passed: 'green', warning: 'yellow', failed: 'red', skipped: 'dim' } as const
  output.result(`${output.style(styles[outcome], marks[outcome])} ${name}: ${detail}`)
  if (fix !== undefined) output.result(`    → ${fix}`)
}

function checkNode(): Check {
  const name = 'Node'
  const detail = process.versions.node
  if (Number(detail.split('.')[0]) >= nodeMajorMin) return { name, outcome: 'passed', detail }
  const fix = `Install Node ${nodeMajorMin} or newer.`
  return { name, outcome: 'failed', detail, fix }
}

/** The file with the authtoken is for its owner alone. */
async function checkCredentials({ settings }: CommandContext): Promise<Check> {
  const name = 'Authtoken'
  const { authtoken, authtokenFrom, configPath, server } = settings
  if (authtoken === null) {
    const fix = `sluice login --server ${server}`
    return { name, outcome: 'failed', detail: `there is none for ${server}`, fix }
  }
  const detail = `from ${authtokenFrom}`
  if (authtokenFrom !== 'file') return { name, outcome: 'passed', detail }
  const { mode } = await stat(configPath)
  if ((mode & 0o077) === 0) return { name, outcome: 'passed', detail: `${detail} ${configPath}` }
  const fix = `chmod 600 ${configPath}`
  return { name, outcome: 'warning', detail: `others may read ${configPath}`, fix }
}

function checkProject({ io }: CommandContext): Check {
  const name = 'Project file'
  const file = findProject(undefined, io.env, process.cwd())
  if (file === null) return { name, outcome: 'skipped', detail: 'there is none' }
  const { project, faults } = readProject(file, io.env)
  if (project) {
    return { name, outcome: 'passed', detail: `${file}, ${project.tunnels.length} tunnels` }
  }
  const fix = `sluice config check ${file}`
  return { name, outcome: 'failed', detail: `${faults.length} faults in ${file}`, fix }
}

/** From the network to the regions: what stands on something that failed is not asked. */
async function checkServer({ settings, io }: CommandContext): Promise<Check[]> {
  const { server, ca, proxyOf, authtoken } = settings
  const url = new URL('/graphql', server)
  const proxy = proxyOf(url)
  const way = proxy ? `${server} through ${proxy.host}` : server
  let date: string | undefined
  try {
    const limits = { timeoutMs: answerTimeoutMs, answerBytesMax, ca, proxyOf, signal: io.signal }
    const { headers } = await requestText(url, limits)
    date = headers.date
  } catch (error) {
    io.signal.throwIfAborted()
    const fix = proxy
      ? `curl -x ${proxy.origin} -sS ${server}`
      : `curl -sS ${server}   # and check --server, --ca and HTTPS_PROXY`
    const detail = `${way} cannot be reached: ${networkReasonOf(error)}`
    return [{ name: 'Server', outcome: 'failed', detail, fix }]
  }
  const reached: Check = { name: 'Server', outcome: 'passed', detail: `${way} answers` }
  const checks = [reached, checkClock(date)]
  if (authtoken === null) return checks
  const api = createApi({ server, authtoken, ca, proxyOf, signal: io.signal })
  try {
    const { data } = await api.queryPartial<StatusAnswer>(cliOperations.status)
    return [...checks, checkLogin(data), checkRegions(data)]
  } catch (error) {
    io.signal.throwIfAborted()
    const { title, fix } = shownProblemOf(error, server)
    return [...checks, { name: 'Login', outcome: 'failed', detail: title, fix }]
  }
}

interface StatusAnswer {
  readonly viewer: { readonly user: { readonly name: string } | null; readonly kind: string }
  readonly regions: readonly { readonly id: string; readonly available: boolean }[] | null
}

function checkClock(date: string | undefined): Check {
  const name = 'Clock'
  const at = Date.parse(date ?? '')
  if (Number.isNaN(at)) return { name, outcome: 'skipped', detail: 'the server told no time' }
  const seconds = Math.round((Date.now() - at) / 1000)
  const detail = `${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} the server`
  if (Math.abs(seconds) * 1000 <= clockSkewMsMax) return { name, outcome: 'passed', detail }
  return { name, outcome: 'failed', detail, fix: 'sudo timedatectl set-ntp true' }
}

function checkLogin({ viewer }: StatusAnswer): Check {
  const name = 'Login'
  if (viewer.kind === 'ANONYMOUS') {
    return { name, outcome: 'failed', detail: 'the authtoken is nobody’s', fix: 'sluice login' }
  }
  return { name, outcome: 'passed', detail: viewer.user?.name ?? viewer.kind.toLowerCase() }
}

function checkRegions({ regions }: StatusAnswer): Check {
  const name = 'Relays'
  const ready = (regions ?? []).filter(({ available }) => available).map(({ id }) => id)
  if (ready.length > 0) return { name, outcome: 'passed', detail: `ready in ${ready.join(', ')}` }
  const fix = 'Ask the operator: no relay is ready, or none is known.'
  return { name, outcome: 'failed', detail: 'no region has a relay that is ready', fix }
}
