import { applyRules, type ReportAt, type Rule } from '../../schema/problem.js'
import { type Annotation, annotationsOf, isIndex } from './annotation.js'
import type { EntityModel } from './entityModel.js'
import type { ColumnMetadata } from './metadata.js'
import { blindIndexOptionRules, encryptedOptionRules } from './optionRules.js'
import { checkTokenIndex } from './tokenIndexOptions.js'

type IndexMetadata = ColumnMetadata['entityMetadata']['indices'][number]

interface ColumnSubject {
  readonly column: ColumnMetadata
  readonly annotation: Annotation
}

/** What a column must be that a decorator, or a helper for `EntitySchema`, has marked. */
const columnRules: readonly Rule<ColumnSubject>[] = [
  ({ column, annotation }) => {
    if (annotation.kind === 'tenant' || !Array.isArray(column.transformer)) return undefined
    return 'has other transformers beside that of fieldseal, which would change what it encrypts or searches; remove them'
  },
  ({ column, annotation }) => {
    if (annotation.kind !== 'encrypted' || !column.isDiscriminator) return undefined
    return 'tells the entities of one table apart, which the database does by its value; leave it in plaintext'
  },
  ({ column, annotation }) => {
    if (!isIndex(annotation) || !(column.isSelect || column.isInsert || column.isUpdate)) return undefined
    return 'is an index that fieldseal alone reads and writes; leave out `select`, `insert` and `update`'
  },
  ({ column, annotation }) => {
    const isTokens = annotation.kind === 'textIndex' || annotation.kind === 'rangeIndex'
    const index = isTokens && column.entityMetadata.indices.find((one) => one.columns.includes(column) && isTree(one))
    if (!index) return undefined
    return `is in the \`@Index\` "${index.name}", which is no GIN index: only that finds tokens; ${GIN}`
  },
  ({ column, annotation }) => {
    if (annotation.kind !== 'view' || column.entityMetadata.tableType === 'view') return undefined
    return 'is in no view; write `@Encrypted()` for a column of a table'
  },
]

/** Reports what is wrong with the marked columns of an entity and with the options that they were given. */
export function checkColumns({ name, fields }: EntityModel, reportAt: ReportAt): void {
  for (const { name: path, column } of fields) {
    for (const annotation of annotationsOf(column?.transformer)) {
      const place = `${name}.${path}`
      applyRules(columnRules, { column: column!, annotation }, place, reportAt)
      checkOptions(annotation, place, reportAt)
    }
  }
}

function checkOptions(annotation: Annotation, place: string, reportAt: ReportAt): void {
  if (annotation.kind === 'encrypted') applyRules(encryptedOptionRules, annotation.options, place, reportAt)
  if (annotation.kind === 'index') applyRules(blindIndexOptionRules, annotation, place, reportAt)
  if (annotation.kind === 'textIndex' || annotation.kind === 'rangeIndex') checkTokenIndex(annotation, place, reportAt)
}

/** Whether TypeORM makes an index of it in which tokens cannot be found. Before 1.0 it knows no other type. */
function isTree(index: IndexMetadata): boolean {
  return index.synchronize && (index as { readonly type?: string }).type !== 'gin'
}

const GIN =
  "write `@Index({ type: 'gin' })` or, before TypeORM 1.0, `@Index({ synchronize: false })`, and make the index in a migration"
