import type { Kms } from '../../keys/kms.js'

export type FailoverMembers<K extends Kms = Kms> = readonly (readonly [name: string, kms: K])[]

/** The first member that answers, and its answer. */
export async function firstAnswer<K extends Kms, T>(
  members: FailoverMembers<K>,
  ask: (kms: K, name: string) => Promise<T>,
): Promise<[string, T]> {
  let first: unknown
  for (const [name, kms] of members) {
    try {
      return [name, await ask(kms, name)]
    } catch (error) {
      first ??= error
    }
  }
  throw first
}
