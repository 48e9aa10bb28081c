import { invalidOptionOf } from '../../invalidOptions.js'
import { type Duration, milliseconds } from '../../keys/duration.js'
import type { Kms } from '../../keys/kms.js'
import { type FormerGroupsOf, type GroupOf, isGroupList, type TenantGroups, tenantGroups } from './tenantGroups.js'

const invalid = invalidOptionOf('hierarchicalKms')

/** Options of `hierarchicalKms`. */
export interface HierarchicalKmsOptions {
  /** Wraps the intermediate keys, and unwraps DEKs that it wrapped itself: `tencentKms(…)` or `localKms(…)`. */
  readonly kms: Kms
  /** Over how many intermediate keys tenants are spread by a hash of their id; 8 unless given. Not with `group`. */
  readonly shards?: number | undefined
  /**
   * Which tenants share an intermediate key; no other group's key opens their DEKs. `() => null` wraps no new DEK with
   * one, for the way back. It is asked for the tenant `*`, too, whose keys are those that serve all tenants.
   */
  readonly group?: GroupOf | undefined
  /**
   * Beside `group`: further groups under whose intermediate keys DEKs may be, those of before until their DEKs are
   * rewrapped; a list for all tenants, or a function of the tenant. None unless given. Without `group` any intermediate
   * key opens DEKs.
   */
  readonly formerGroups?: readonly string[] | FormerGroupsOf | undefined
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
  readonly groups: TenantGroups
  readonly rotateAfter: number
  readonly ttl: number
  readonly staleFor: number
  readonly max: number
}

const NAMES = ['kms', 'shards', 'group', 'formerGroups', 'rotateAfter', 'ttl', 'staleFor', 'max']
const SHARDS = 8
const MOST_SHARDS = 10_000
const LONGEST_TTL = 2 ** 31 - 1

/** @throws FieldsealError `OPTIONS_INVALID`, naming the option */
export function checkedOptions(options: HierarchicalKmsOptions): HierarchySettings {
  const { kms, shards, group, rotateAfter = '90d', ttl = '5m', staleFor = '1h', max = 1000 } = options
  const { formerGroups = [] } = options
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw invalid(unknown, `does not exist; there are ${NAMES.join(', ')}`)
  if (typeof kms?.generate !== 'function' || typeof kms.unwrap !== 'function') {
    throw invalid('kms', 'must be the Kms that wraps the intermediate keys, such as tencentKms({ client, keyId })')
  }
  if (group !== undefined && typeof group !== 'function') throw invalid('group', 'must be a function of the tenant')
  if (group && shards !== undefined) throw invalid('shards', 'means nothing beside "group": give one of them')
  if (!group && options.formerGroups !== undefined) throw invalid('formerGroups', 'means nothing without "group"')
  if (typeof formerGroups !== 'function' && !isGroupList(formerGroups)) {
    throw invalid('formerGroups', 'must be a list of groups, or a function of the tenant that gives one')
  }
  checkInteger('shards', shards ?? SHARDS, MOST_SHARDS)
  checkInteger('max', max, Number.MAX_SAFE_INTEGER)
  return {
    kms,
    groups: tenantGroups({ shards: shards ?? SHARDS, group, formerGroups }),
    rotateAfter: duration('rotateAfter', rotateAfter, [1, Number.MAX_SAFE_INTEGER]),
    ttl: duration('ttl', ttl, [1, LONGEST_TTL]),
    staleFor: duration('staleFor', staleFor, [0, LONGEST_TTL]),
    max,
  }
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
