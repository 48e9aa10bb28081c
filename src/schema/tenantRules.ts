import type { AnnotatedModel } from './annotatedModel.js'
import { type DatamodelField, defaultKind } from './datamodel.js'
import type { Rule } from './problem.js'
import type { SchemaFacts } from './schemaFacts.js'

export interface TenantSubject {
  readonly field: DatamodelField
  readonly owner: AnnotatedModel
  readonly facts: Pick<SchemaFacts, 'wording'>
}

/** Types that give a tenant id back as it was written. */
const exactTypes = ['Text', 'VarChar', 'Uuid']

/** What a `@tenant` column must be. */
export const tenantRules: readonly Rule<TenantSubject>[] = [
  ({ owner, facts: { wording } }) => {
    if (owner.isKeys)
      return `is in the ${wording.model} that stores the keys; remove ${wording.tenant}: its \`tenant\` ${wording.field} is known by name`
  },
  ({ field, owner, facts: { wording } }) => {
    const [first] = owner.tenants
    if (first !== field)
      return `is a second ${wording.tenant} of ${owner.model.name}, after \`${first!.name}\`; a row belongs to one tenant: keep one`
  },
  ({ field, facts: { wording } }) => {
    if (field.kind === 'scalar' && field.type === 'String' && !field.isList) return undefined
    return `holds the tenant and has the type ${wording.type(field)}; ${wording.tenantType}`
  },
  ({ field, facts: { wording } }) => {
    if (!field.isRequired)
      return `holds the tenant and may be null; ${wording.required}: a row without tenant has no key`
  },
  ({ field, facts: { wording } }) => {
    if (field.type !== 'String' || !field.nativeType || exactTypes.includes(field.nativeType[0])) return undefined
    return `has the ${wording.nativeType(field)}, which changes what it stores or compares; use ${wording.tenantTypes}`
  },
  ({ field, facts: { wording } }) => {
    if (defaultKind(field) !== 'constant') return undefined
    return `has a constant ${wording.default}, so that rows would name another tenant than their key does; remove it, or use the \`defaultTenant\` option`
  },
]
