import type { AnnotatedModel } from './annotatedModel.js'
import { type DatamodelField, defaultKind, relationOver, writtenType } from './datamodel.js'
import type { BoundColumnSchema, ClientDefault } from './encryptionSchema.js'
import type { Rule } from './problem.js'
import { didYouMean } from './suggestion.js'

/** A column that an encrypted field names in `bind:`. */
export interface BoundColumnSubject {
  readonly column: DatamodelField
  readonly owner: AnnotatedModel
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
  ({ column }) => {
    if (column.isUpdatedAt)
      return because(column, 'changes at every update (@updatedAt); bind to a column that never changes')
  },
  ({ column }) => {
    if (column.isUpdatedAt || boundType(column) !== undefined) return undefined
    const types = 'String (@db.Text, @db.VarChar, @db.Uuid or none), Int or BigInt'
    return because(column, `is ${describeType(column)}; bind to a column of the type ${types}`)
  },
  ({ column }) => {
    if (!column.isRequired) return because(column, `may be null (${writtenType(column)}); make it required`)
  },
  ({ column }) => defaultProblem(column),
  ({ column, owner }) => {
    const relation = relationOver(owner.model, column.name)
    if (relation === undefined || ['Restrict', 'NoAction'].includes(relation.relationOnUpdate ?? '')) return undefined
    return because(
      column,
      `is the foreign key of \`${relation.name}\`, and the database changes it when the referred row's key changes; ` +
        `write \`onUpdate: Restrict\` in the @relation`,
    )
  },
]

/** What to say when a model has no field of this name. */
export function missingBoundColumn(name: string, { model }: AnnotatedModel): string {
  const fields = model.fields.filter(({ kind }) => kind === 'scalar').map((field) => field.name)
  return `binds to \`${name}\`, which is no field of ${model.name}; ${didYouMean(name, fields) || 'name columns of the same model'}`
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

function defaultProblem(column: DatamodelField): string | undefined {
  const kind = defaultKind(column)
  if (kind === undefined || boundDefault(column) !== undefined) return undefined
  if (kind === 'constant') return because(column, 'has a constant @default; remove it and give the value in `data`')
  if (databaseDefaults.includes(kind)) {
    return because(
      column,
      `gets its value from the database (@default(${kind}(…))), too late to encrypt with it; use @default(uuid()) or give the value in \`data\``,
    )
  }
  return because(
    column,
    `has @default(${kind}(…)), which fieldseal does not make; use @default(uuid()) or @default(cuid())`,
  )
}

function describeType(column: DatamodelField): string {
  if (column.kind === 'object') return 'a relation'
  if (column.kind === 'enum') return `of the enum ${column.type}`
  return `${column.isList ? 'a list' : 'of a type without one canonical form'} (${writtenType(column)})`
}

function because(column: DatamodelField, reason: string): string {
  return `binds to \`${column.name}\`, which ${reason}`
}
