import type { KeySurvey } from './postgres/survey.js'

/** How many keys are under a KEK. */
export interface KekSurvey {
  /** As in the keys table: the name of the KMS, or of the member of `tenantKms`. */
  readonly kms: string
  readonly kekId: string
  /** With a key under it. Groups, whose intermediate keys are under it, are none. */
  readonly tenants: number
  readonly active: number
  /** No longer used for what is written now, and needed to read what was. */
  readonly older: number
}

/**
 * Where keys are: of each KEK, how many it wraps. Destroyed keys are nowhere.
 *
 * @returns by the name of the KMS; those with the most keys first
 */
export function keksOf(keys: readonly KeySurvey[]): KekSurvey[] {
  const perKek = new Map<string, Tally>()
  for (const key of keys) {
    if (key.destroyedAt !== null) continue
    const name = JSON.stringify([key.kms, key.kekId])
    const tally = perKek.get(name) ?? { kms: key.kms, kekId: key.kekId, tenants: new Set(), active: 0, older: 0 }
    perKek.set(name, tally)
    if (key.purpose !== 'wrap') tally.tenants.add(key.tenant)
    tally[key.state === 'active' ? 'active' : 'older'] += 1
  }
  return [...perKek.values()].sort(inOrder).map(({ tenants, ...rest }) => ({ ...rest, tenants: tenants.size }))
}

interface Tally {
  readonly kms: string
  readonly kekId: string
  readonly tenants: Set<string>
  active: number
  older: number
}

function inOrder(one: Tally, other: Tally): number {
  if (one.kms !== other.kms) return one.kms < other.kms ? -1 : 1
  const more = other.active + other.older - one.active - one.older
  return more !== 0 ? more : one.kekId < other.kekId ? -1 : 1
}
