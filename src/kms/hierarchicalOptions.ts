import { createHash } from 'node:crypto'
import { FieldsealError, quoted } from '../errors.js'
import { type Duration, milliseconds } from '../keys/duration.js'
import type { Kms } from '../keys/kms.js'

/**
 * The group of tenants whose DEKs share an intermediate key, by its name; `null` for a tenant whose DEKs the KMS itself
 * is to wrap.
 */
export type GroupOf = (tenant: string) => string | null

/** Options of `hierarchicalKms`. */
export interface HierarchicalKmsOptions {
  /** Wraps the intermediate keys, and unwraps DEKs that it wrapped itself: `tencentKms(…)` or `localKms(…)`. */
  readonly kms: Kms
  /** Over how many intermediate keys tenants are spread by a hash of their id; 8 unless given. Not with `group`. */
  readonly shards?: number | undefined
  /** Which tenants share an intermediate key. `() => null` wraps no new DEK with one, for the way back. */
  readonly group?: GroupOf | undefined
  /** The age at which a group gets a new intermediate key, for the DEKs made from then on; `'90d'` unless given. */
  readonly rotateAfter?: Duration | undefined
  /** How long an unwrapped intermediate key is used before the KMS is asked again; `'5m'` unless given. */
  readonly ttl?: Duration | undefined
  /** How much longer one serves while the KMS or the keys table is down; `'1h'` unless given, `0` for no time. */
  readonly staleFor?: Duration | undefined
  /** How many unwrapped intermediate keys are held at most; 1,000 unless given. */
  readonly max?: number | undefined
}

/** The options with their defaults; times in milliseconds. */
export interface HierarchySettings {
  readonly kms: Kms
  /** Checks what it gives. */
  readonly groupOf: GroupOf
  readonly rotateAfter: number
  readonly ttl: number
  readonly staleFor: number
  readonly max: number
}

const NAMES = ['kms', 'shards', 'group', 'rotateAfter', 'ttl', 'staleFor', 'max']
const SHARDS = 8
const MOST_SHARDS = 10_000
const LONGEST_TTL = 2 ** 31 - 1
/** UTF-16 units; so that its encryption context stays below 1,024 bytes whatever it is made of. */
const LONGEST_GROUP = 128

/** @throws FieldsealError `OPTIONS_INVALID`, naming the option */
export function checkedOptions(options: HierarchicalKmsOptions): HierarchySettings {
  const { kms, shards, group, rotateAfter = '90d', ttl = '5m', staleFor = '1h', max = 1000 } = options
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw invalid(unknown, `does not exist; there are ${NAMES.join(', ')}`)
  if (typeof kms?.generate !== 'function' || typeof kms.unwrap !== 'function') {
    throw invalid('kms', 'must be the Kms that wraps the intermediate keys, such as tencentKms({ client, keyId })')
  }
  if (group !== undefined && typeof group !== 'function') throw invalid('group', 'must be a function of the tenant')
  if (group && shards !== undefined) throw invalid('shards', 'means nothing beside "group": give one of them')
  checkInteger('shards', shards ?? SHARDS, MOST_SHARDS)
  checkInteger('max', max, Number.MAX_SAFE_INTEGER)
  return {
    kms,
    groupOf: group ? checked(group) : (tenant) => shardOf(tenant, shards ?? SHARDS),
    rotateAfter: duration('rotateAfter', rotateAfter, [1, Number.MAX_SAFE_INTEGER]),
    ttl: duration('ttl', ttl, [1, LONGEST_TTL]),
    staleFor: duration('staleFor', staleFor, [0, LONGEST_TTL]),
    max,
  }
}

/** A DEK names its intermediate key, so another number of shards, or another hash, would do no harm to those there are. */
function shardOf(tenant: string, shards: number): string {
  return `shard-${createHash('sha256').update(tenant).digest().readUInt32BE() % shards}`
}

function checked(group: GroupOf): GroupOf {
  return (tenant) => {
    const name: unknown = nameOf(group, tenant)
    if (name === null || isGroup(name)) return name
    const what = `neither null nor a text of 1 to ${LONGEST_GROUP} characters without NUL`
    throw unusable(tenant, `gave ${what}`)
  }
}

function nameOf(group: GroupOf, tenant: string): unknown {
  try {
    return group(tenant)
  } catch (cause) {
    throw unusable(tenant, 'failed', { cause })
  }
}

function isGroup(name: unknown): name is string {
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_GROUP) return false
  return name.isWellFormed() && !name.includes('\0')
}

function unusable(tenant: string, why: string, options?: { cause: unknown }): FieldsealError {
  const message = `The option "group" of hierarchicalKms ${why} for tenant ${quoted(tenant)}.`
  return new FieldsealError('KMS_KEY_UNUSABLE', message, options)
}

function duration(name: string, given: unknown, [shortest, longest]: readonly [number, number]): number {
  const value = milliseconds(given)
  if (value !== undefined && value >= shortest && value <= longest) return value
  throw invalid(name, `must be a time like '5m' or milliseconds, from ${shortest} to ${longest}`)
}

function checkInteger(name: string, value: unknown, most: number): void {
  const fits = Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most
  if (!fits) throw invalid(name, `must be a whole number from 1 to ${most}`)
}

function invalid(option: string, why: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', `The option "${option}" of hierarchicalKms ${why}.`)
}
