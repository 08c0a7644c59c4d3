import { Clock } from './clock.ts'
import { Plant } from './plant.ts'
import { unstuckMs } from './visit.ts'

const faultsMs = 40_000
const visitsMax = 12
const faultsMax = 4
/** Silence, the hello time-out and the longest wait between attempts, twice: by then everybody has found each other again. */
const recoveryMs = 150_000
const lastVisitMs = 60_000

type Fault = (plant: Plant) => void

/** A connection of some relay, at random. */
function cableOf({ clock, relays }: Plant) {
  const cables = relays.flatMap((relay) => [...relay.cables])
  return cables[clock.below(cables.length)]
}

function relayOf({ clock, relays }: Plant) {
  const alive = relays.filter((one) => one.alive)
  return alive[clock.below(alive.length)]
}

const faults: Readonly<Record<string, Fault>> = {
  cut: (plant) => cableOf(plant)?.break(),
  'cut for the agent alone': (plant) => {
    const cable = cableOf(plant)
    cable?.mute(true, true)
    cable?.agent.close(1000, 'reset', true)
  },
  'cut for the relay alone': (plant) => {
    const cable = cableOf(plant)
    cable?.mute(true, true)
    cable?.relay.close(1000, 'reset', true)
  },
  'half open': (plant) => {
    const up = plant.clock.chance(0.5)
    cableOf(plant)?.mute(up, !up)
  },
  'black hole': (plant) => cableOf(plant)?.mute(true, true),
  slow: (plant) => cableOf(plant)?.slow(1 + plant.clock.below(20)),
  'agent restarts': (plant) => {
    plant.agent?.crash(plant.clock.chance(0.5))
    plant.clock.setTimer(() => plant.start(), plant.clock.below(5_000))
  },
  'second agent': (plant) => plant.start(),
  'relay restarts': (plant) => {
    const relay = relayOf(plant)
    relay?.crash(plant.clock.chance(0.5))
    plant.clock.setTimer(() => relay?.restart(), plant.clock.below(10_000))
  },
  'relay drains': (plant) => {
    const relay = relayOf(plant)
    relay?.drain()
    plant.clock.setTimer(() => relay?.restart(), 5_000 + plant.clock.below(10_000))
  },
  'visitor leaves': ({ clock, visits }) => visits[clock.below(visits.length)]?.visitor.abort(),
  'upstream leaves': ({ clock, visits }) =>
    visits[clock.below(visits.length)]?.upstream?.abort('SLUICE_UPSTREAM_INVALID'),
}

/** Runs the course of events that a seed means. Answers what went wrong; nothing, if all is well. */
export function runSchedule(seed: number): string[] {
  const clock = new Clock(seed)
  const plant = new Plant(clock, clock.chance(0.3) ? 1 : 2)
  const names = Object.keys(faults)
  for (let count = clock.below(visitsMax + 1); count > 0; count -= 1) {
    clock.setTimer(() => plant.visit(), clock.below(faultsMs))
  }
  // Half of all faults hit what is under way just then.
  for (let count = clock.below(faultsMax + 1); count > 0; count -= 1) {
    const fault = faults[names[clock.below(names.length)] ?? '']
    clock.setTimer(() => {
      if (clock.chance(0.5)) plant.visit()
      clock.setTimer(() => fault?.(plant), clock.below(200))
    }, clock.below(faultsMs))
  }
  try {
    clock.advance(Math.max(faultsMs, unstuckMs))
    clock.advance(recoveryMs)
    checkService(plant)
    plant.close()
    clock.advance(recoveryMs)
    checkRest(plant)
  } catch (error) {
    plant.faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  return plant.faults
}

/** After the last fault the tunnel is served again, by its newest agent, with all of its credit. */
function checkService(plant: Plant): void {
  const { agent, clock, faults: found } = plant
  const cable = agent?.current
  if (!agent?.online || !cable) {
    found.push('the newest agent did not come back')
    return
  }
  const visit = plant.visit()
  clock.advance(lastVisitMs)
  if (!visit?.visitor.whole || !visit.upstream?.whole) found.push('the last visit was not served')
  for (const session of [cable.agent, cable.relay]) {
    if (session.streamCount > 0) found.push('a stream left in a session')
    else if (!session.creditReturned) found.push(`credit that the ${session.role} never got back`)
  }
}

function checkRest({ clock, visits, faults: found }: Plant): void {
  if (clock.timers > 0) found.push(`${clock.timers} timers left`)
  for (const visit of visits) {
    const fault = visit.fault()
    if (fault) found.push(fault)
  }
}
