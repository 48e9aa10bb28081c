import { FieldsealError } from '../../errors.js'

/** When a DEK for `encrypt` or `wrap` is succeeded by a new one. DEKs for `index` are not: search needs them. */
export interface RotationPolicy {
  /** Milliseconds from its creation. A soft limit: a DEK serves on while no new one can be made. */
  readonly rotateAfter: number
  /** Messages encrypted under one DEK, over all processes. A hard limit: no message is encrypted beyond it. */
  readonly maxMessages: number
}

/** NIST SP 800-38D §8.3: as many encryptions with random 96-bit nonces under one key as are safe. */
export const MOST_MESSAGES = 2 ** 32
const LARGEST_BLOCK = 2 ** 20
/** A limit is handed out in no fewer blocks than these, where it is large enough. */
const BLOCKS = 64

export const ROTATION_DEFAULTS: RotationPolicy = { rotateAfter: 90 * 86_400_000, maxMessages: MOST_MESSAGES }

/** How many messages a process reserves at once. */
export function blockOf({ maxMessages }: RotationPolicy): number {
  return Math.max(1, Math.min(LARGEST_BLOCK, Math.floor(maxMessages / BLOCKS)))
}

/** @throws FieldsealError `OPTIONS_INVALID` */
export function checkPolicy({ rotateAfter, maxMessages }: RotationPolicy): void {
  if (!(rotateAfter > 0)) throw invalidPolicy('rotateAfter', "a time like '90d' or milliseconds above 0")
  if (Number.isInteger(maxMessages) && maxMessages >= 1 && maxMessages <= MOST_MESSAGES) return
  throw invalidPolicy(
    'maxMessages',
    'a whole number from 1 to 2^32, the most that NIST SP 800-38D allows random nonces',
  )
}

function invalidPolicy(name: string, what: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', `the key ring's ${name} must be ${what}`)
}
