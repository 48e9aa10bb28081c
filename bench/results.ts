import type { DiskCost } from './disk.js'
import type { Pass } from './micro.js'
import type { Profile } from './profile.js'
import type { Spread } from './rounds.js'

/** What one run of the suite measured. */
export interface Results {
  readonly date: string
  readonly machine: { readonly [what: string]: string }
  readonly cases: readonly CaseResult[]
  readonly profiles: { readonly [contender: string]: Profile }
  /** Microseconds for each value. */
  readonly perValue: { readonly [name: string]: Spread }
  readonly opensslSpeed: { readonly [name: string]: number }
  readonly passes: { readonly [engine in 'native' | 'node']: readonly Pass[] }
  readonly disk: readonly DiskCost[]
}

export interface CaseResult {
  readonly name: string
  readonly rounds: number
  /** Milliseconds. */
  readonly times: { readonly [contender: string]: Spread }
  /** To the plain client, taken round by round. */
  readonly ratios: { readonly [contender: string]: Spread }
  /** The same of the processor time that the process took, which others on the machine change less. */
  readonly cpuRatios: { readonly [contender: string]: Spread }
}
