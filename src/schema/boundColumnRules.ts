import type { AnnotatedModel } from './annotatedModel.js'
import { type DatamodelField, defaultKind, relationOver } from './datamodel.js'
import type { BoundColumnSchema, ClientDefault } from './encryptionSchema.js'
import type { Rule } from './problem.js'
import type { SchemaFacts } from './schemaFacts.js'
import { didYouMean } from './suggestion.js'
import type { SchemaWording } from './wording.js'

/** A column that an encrypted field names in `bind:`. */
export interface BoundColumnSubject {
  readonly column: DatamodelField
  readonly owner: AnnotatedModel
  readonly facts: Pick<SchemaFacts, 'wording'>
}

const databaseDefaults = ['autoincrement', 'dbgenerated', 'now', 'sequence']
const clientDefaults: readonly string[] = ['uuid', 'cuid', 'ulid', 'nanoid'] satisfies ClientDefault['name'][]

/** What a bound column must be: known before the row is written, in one canonical form, and never changed. */
export const boundColumnRules: readonly Rule<BoundColumnSubject>[] = [
  ({ column, owner }) => {
    if (owner.encrypted.some(({ field }) => field === column))
      return because(column, 'is itself encrypted; bind to a plaintext column')
  },
  ({ column, owner }) => {
    if (owner.indexes.some(({ field }) => field === column)) return because(column, 'is a blind index; bind to the id')
  },
  ({ column, owner }) => {
    const index = owner.tokenIndexes.find(({ field }) => field === column)
    if (index !== undefined) return because(column, `is a ${index.options.kind} index; bind to the id`)
  },
  ({ column, facts: { wording } }) => {
    if (column.isUpdatedAt)
      return because(column, `changes at every update (${wording.updatedAt}); bind to a column that never changes`)
  },
  ({ column, facts: { wording } }) => {
    if (column.isUpdatedAt || boundType(column) !== undefined) return undefined
    return because(column, `is ${describeType(column, wording)}; bind to a column of the type ${wording.boundTypes}`)
  },
  ({ column, facts: { wording } }) => {
    if (!column.isRequired) return because(column, `may be null (${wording.type(column)}); ${wording.required}`)
  },
  ({ column, facts }) => defaultProblem(column, facts.wording),
  ({ column, owner, facts: { wording } }) => {
    const relation = relationOver(owner.model, column.name)
    if (relation === undefined || ['Restrict', 'NoAction'].includes(relation.relationOnUpdate ?? '')) return undefined
    return because(
      column,
      `is the foreign key of \`${relation.name}\`, and the database changes it when the referred row's key changes; ` +
        wording.fixedReference,
    )
  },
]

/** What to say when a model has no field of this name. */
export function missingBoundColumn(name: string, { model }: AnnotatedModel, wording: SchemaWording): string {
  const fields = model.fields.filter(({ kind }) => kind === 'scalar').map((field) => field.name)
  return `binds to \`${name}\`, which is no ${wording.field} of ${model.name}; ${didYouMean(name, fields) || `name columns of the same ${wording.model}`}`
}

/** The bound column as the run time needs it, or nothing when its type has no canonical form. */
export function boundType(column: DatamodelField): BoundColumnSchema['type'] | undefined {
  if (column.kind !== 'scalar' || column.isList) return undefined
  if (column.type === 'Int' || column.type === 'BigInt') return column.type
  if (column.type !== 'String') return undefined
  const native = column.nativeType?.[0] ?? 'Text'
  if (native === 'Uuid') return 'Uuid'
  return native === 'Text' || native === 'VarChar' ? 'String' : undefined
}

/** The client-side default that the extension makes itself. */
export function boundDefault({ default: value }: DatamodelField): ClientDefault | undefined {
  if (typeof value !== 'object' || !('name' in value) || !clientDefaults.includes(value.name)) return undefined
  const name = value.name as ClientDefault['name']
  const argument = value.args[0]
  return typeof argument === 'number' ? { name, argument } : { name }
}

function defaultProblem(column: DatamodelField, wording: SchemaWording): string | undefined {
  const kind = defaultKind(column)
  if (kind === undefined || boundDefault(column) !== undefined) return undefined
  if (kind === 'constant')
    return because(column, `has a constant ${wording.default}; remove it and ${wording.giveValue}`)
  if (databaseDefaults.includes(kind)) {
    return because(
      column,
      `gets its value from the database (${wording.databaseDefault(kind)}), too late to encrypt with it; ${wording.clientDefault} or ${wording.giveValue}`,
    )
  }
  return because(
    column,
    `has @default(${kind}(…)), which fieldseal does not make; use @default(uuid()) or @default(cuid())`,
  )
}

function describeType(column: DatamodelField, wording: SchemaWording): string {
  if (column.kind === 'object') return 'a relation'
  if (column.kind === 'enum') return `of the enum ${column.type}`
  return `${column.isList ? 'a list' : 'of a type without one canonical form'} (${wording.type(column)})`
}

function because(column: DatamodelField, reason: string): string {
  return `binds to \`${column.name}\`, which ${reason}`
}
