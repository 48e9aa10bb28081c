import type { AnnotatedModel } from './annotatedModel.js'
import { type DatamodelField, defaultKind, writtenNativeType, writtenType } from './datamodel.js'
import type { Rule } from './problem.js'

export interface TenantSubject {
  readonly field: DatamodelField
  readonly owner: AnnotatedModel
}

/** Types that give a tenant id back as it was written. */
const exactTypes = ['Text', 'VarChar', 'Uuid']

/** What a `@tenant` column must be. */
export const tenantRules: readonly Rule<TenantSubject>[] = [
  ({ owner }) => {
    if (owner.isKeys)
      return 'is in the model that stores the keys; remove `@tenant`: its `tenant` field is known by name'
  },
  ({ field, owner }) => {
    const [first] = owner.tenants
    if (first !== field)
      return `is a second \`@tenant\` of ${owner.model.name}, after \`${first!.name}\`; a row belongs to one tenant: keep one`
  },
  ({ field, owner: { encrypted, indexes } }) => {
    if ([...encrypted, ...indexes].some((annotated) => annotated.field === field))
      return 'holds the tenant and is encrypted or a blind index; keep it plain: whose a row is must be known before it can be decrypted'
  },
  ({ field }) => {
    if (field.kind === 'scalar' && field.type === 'String' && !field.isList) return undefined
    return `holds the tenant and has the type ${writtenType(field)}; make it a String`
  },
  ({ field }) => {
    if (!field.isRequired) return 'holds the tenant and may be null; make it required: a row without tenant has no key'
  },
  ({ field }) => {
    if (field.type !== 'String' || !field.nativeType || exactTypes.includes(field.nativeType[0])) return undefined
    return `has the native type ${writtenNativeType(field)}, which changes what it stores or compares; use @db.Text, @db.VarChar or @db.Uuid`
  },
  ({ field }) => {
    if (defaultKind(field) !== 'constant') return undefined
    return 'has a constant @default, so that rows would name another tenant than their key does; remove it, or use the `defaultTenant` option'
  },
]
