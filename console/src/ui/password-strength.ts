import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common'

/** Guessing time grows with the length of what is looked at; more than this is strong anyway. */
const charactersMax = 64

let meter: ZxcvbnFactory | null = null

/** How hard a password is to guess, 0 to 4. The lists it knows are large: this module is loaded when one is typed. */
export function scoreOf(password: string): number {
  meter ??= new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs })
  return meter.check(password.slice(0, charactersMax)).score
}
