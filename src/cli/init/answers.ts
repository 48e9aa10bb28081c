import type { KmsName } from './kmsNames.js'

/** A column that could be encrypted, of whichever ORM. */
export interface Candidate {
  /** `Model.field` */
  readonly name: string
  readonly looksPersonal: boolean
  /** Why it cannot be encrypted as it is, and what to do. */
  readonly problem?: string | undefined
  readonly canIndex: boolean
  /** It is unique or in an index, which has to move to a blind index. */
  readonly needsIndex: boolean
}

/** A column that could be that of the tenant. */
export interface TenantColumn {
  readonly name: string
  /** Where it is. */
  readonly models: readonly string[]
  /** Its name is one of a tenant, or that of another's id. */
  readonly isLikely: boolean
}

/** What is known of a project before anybody is asked. */
export interface ProjectFacts {
  readonly candidates: readonly Candidate[]
  /** Fields that are marked, as `Model.field`, and those of them that have a blind index. */
  readonly marked: readonly string[]
  readonly indexed: readonly string[]
  readonly tenantColumns: readonly TenantColumn[]
  /** A column has a tenant's name, whether it can be marked or not. */
  readonly hasTenantName: boolean
  /** The column that is marked as the tenant's already. */
  readonly markedTenant: string | undefined
  /** A configuration says whose KMS it is, and whether there is one tenant. */
  readonly isConfigured: boolean
  readonly kms: KmsName
  /** The tables may have rows. */
  readonly hasRows: boolean
}

/** Whose the rows are: one tenant's, or many tenants', perhaps by a column. */
export type Tenancy = { readonly kind: 'single' } | { readonly kind: 'many'; readonly column: string | undefined }

export interface InitAnswers {
  readonly fields: readonly string[]
  readonly blindIndexes: readonly string[]
  readonly tenancy: Tenancy
  readonly kms: KmsName
  /** Rows are there in plaintext. */
  readonly migrating: boolean
}

/** Names of fields by which they are mostly searched. */
const SEARCHED = /e?mail$/i

/** Which of some fields are searched by equality. */
export function proposedIndexes({ candidates }: ProjectFacts, fields: readonly string[]): string[] {
  return candidates
    .filter(({ name, canIndex }) => canIndex && fields.includes(name))
    .filter(({ name, needsIndex }) => needsIndex || SEARCHED.test(name))
    .map(({ name }) => name)
}

export function proposedFields({ candidates }: ProjectFacts): string[] {
  return candidates
    .filter(({ looksPersonal, problem }) => looksPersonal && problem === undefined)
    .map(({ name }) => name)
}

/** Of whom columns mostly name the id that say whose a row is, the likeliest first. */
const OWNERS =
  'tenant organization organisation org workspace company shop store clinic practice school merchant team'.split(' ')

/** How much a column looks like the tenant's: 0 most, -1 not at all. */
export function tenantRank(column: string): number {
  const owner = /^(\w+?)_?(id|uuid|slug)$/i.exec(column)?.[1] ?? (/^tenant$/i.test(column) ? column : '')
  return OWNERS.indexOf(owner.toLowerCase())
}

/** No column says it of an app with one tenant; of a schema without marks nothing is known. */
export function proposedTenancy(
  { markedTenant, tenantColumns, hasTenantName }: ProjectFacts,
  fields: readonly string[],
): Tenancy {
  if (markedTenant !== undefined) return { kind: 'many', column: markedTenant }
  const [likeliest] = tenantColumns
    .filter(({ name }) => tenantRank(name) >= 0)
    .sort((one, other) => tenantRank(one.name) - tenantRank(other.name))
  if (likeliest) return { kind: 'many', column: likeliest.name }
  return fields.length > 0 && !hasTenantName ? { kind: 'single' } : { kind: 'many', column: undefined }
}
