import { createHash } from 'node:crypto'
import { FieldsealError, quoted } from '../../errors.js'
import { functionFailed } from '../call/functionFailed.js'

/**
 * The group of tenants whose DEKs share an intermediate key, by its name; `null` for a tenant whose DEKs the KMS itself
 * is to wrap.
 */
export type GroupOf = (tenant: string) => string | null

/** The groups in which a tenant was before. */
export type FormerGroupsOf = (tenant: string) => readonly string[]

export interface GroupOptions {
  readonly shards: number
  readonly group: GroupOf | undefined
  readonly formerGroups: readonly string[] | FormerGroupsOf
}

/** Which group's intermediate key wraps a tenant's DEKs, and which others may have wrapped them. */
export interface TenantGroups {
  current(tenant: string): string | null
  /** The current one first; `undefined` for any. */
  all(tenant: string): readonly string[] | undefined
}

/** UTF-16 units; so that its encryption context stays below 1,024 bytes whatever it is made of. */
const LONGEST_GROUP = 128

/** The functions of the options are checked in what they give. */
export function tenantGroups({ shards, group, formerGroups }: GroupOptions): TenantGroups {
  if (!group) return { current: (tenant) => shardOf(tenant, shards), all: () => undefined }
  const current: GroupOf = (tenant) => currentOf(group, tenant)
  return { current, all: (tenant) => [current(tenant) ?? [], formerOf(formerGroups, tenant)].flat() }
}

/** Shards isolate nothing: a DEK names its intermediate key, so another number of them does no harm to those there are. */
function shardOf(tenant: string, shards: number): string {
  return `shard-${createHash('sha256').update(tenant).digest().readUInt32BE() % shards}`
}

function currentOf(group: GroupOf, tenant: string): string | null {
  const name = answerOf('group', group, tenant)
  if (name === null || isGroup(name)) return name
  throw unusable('group', tenant, `gave neither null nor ${A_GROUP}`)
}

function formerOf(former: readonly string[] | FormerGroupsOf, tenant: string): readonly string[] {
  if (typeof former !== 'function') return former
  const names = answerOf('formerGroups', former, tenant)
  if (isGroupList(names)) return names
  throw unusable('formerGroups', tenant, `gave no list of names, each ${A_GROUP}`)
}

function answerOf(option: string, given: (tenant: string) => unknown, tenant: string): unknown {
  try {
    return given(tenant)
  } catch (thrown) {
    const what = `The option "${option}" of hierarchicalKms failed for tenant ${quoted(tenant)}`
    throw functionFailed(thrown, 'KMS_KEY_UNUSABLE', what)
  }
}

const A_GROUP = `a text of 1 to ${LONGEST_GROUP} characters without NUL`

export function isGroupList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isGroup)
}

function isGroup(name: unknown): name is string {
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_GROUP) return false
  return name.isWellFormed() && !name.includes('\0')
}

function unusable(option: string, tenant: string, why: string): FieldsealError {
  const message = `The option "${option}" of hierarchicalKms ${why} for tenant ${quoted(tenant)}.`
  return new FieldsealError('KMS_KEY_UNUSABLE', message)
}
