import { FieldsealError } from '../../errors.js'
import { wasSpared, withBreaker } from '../../keys/breaker.js'
import type { Kms } from '../../keys/kms.js'

/** A member, as it is spared while it is down, and as it is. */
export type FailoverMember<K extends Kms = Kms> = readonly [name: string, spared: K, direct: K]
export type FailoverMembers<K extends Kms = Kms> = readonly FailoverMember<K>[]

export function failoverMembers(members: { readonly [name: string]: Kms }): FailoverMembers {
  return Object.entries(members).map(([name, kms]) => [name, withBreaker(kms), kms])
}

/** How long a member that has failed as the last resort is no resort, in milliseconds. */
const PAUSE = 1_000
/** When members have failed so, by `performance.now()`. */
const failedAt = new WeakMap<Kms, number>()

/**
 * The first member that answers, and its answer. A member is spared for up to half a minute after it is back: when nobody
 * else has helped, it is asked all the same.
 */
export async function firstAnswer<K extends Kms, T>(
  members: FailoverMembers<K>,
  ask: (kms: K, name: string) => Promise<T>,
): Promise<[string, T]> {
  let first: unknown
  const spared: FailoverMember<K>[] = []
  for (const member of members) {
    const [name, kms] = member
    try {
      return [name, await ask(kms, name)]
    } catch (error) {
      first ??= error
      if (wasSpared(error)) spared.push(member)
    }
  }
  for (const [name, , kms] of spared) {
    if (performance.now() - (failedAt.get(kms) ?? Number.NEGATIVE_INFINITY) < PAUSE) continue
    try {
      return [name, await ask(kms, name)]
    } catch (error) {
      if (FieldsealError.is(error, 'KMS_UNAVAILABLE')) failedAt.set(kms, performance.now())
    }
  }
  throw first
}
